import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { PLAIN_RULE, readCompose, readStackSpec, type RouteSpec, type ServiceSpec, type StackSpec } from '#cluster/spec'

import { diffStacks } from './diff.ts'
import { deriveEnvironment, PLAIN_PATTERN, type EnvironmentWish } from './index.ts'

const CASES = Number(process.env['GLOVEBOX_ENVIRONMENT_CASES'] ?? 200)

const wish = (name: string, more: Partial<EnvironmentWish> = {}): EnvironmentWish => ({
  name,
  settings: [],
  hostPattern: PLAIN_PATTERN,
  hosts: {},
  routePorts: {},
  own: { secrets: [], configs: [] },
  hasWritableBinds: false,
  ...more,
})

const plain = await readCompose({
  path: 'compose.yaml',
  text: 'services: {web: {image: "web:1", network_mode: none}}',
  directory: '/srv/shop',
  environment: {},
  dotEnv: null,
  stackName: null,
  profiles: null,
  readFile: () => null,
})
const PLAIN = plain.spec.services[0]!

const service = (name: string, more: Partial<ServiceSpec> = {}, task: Partial<ServiceSpec['task']> = {}): ServiceSpec => ({
  ...PLAIN,
  ...more,
  name,
  task: { ...PLAIN.task, image: `${name}:1`, ...task },
})

const route = (name: string, hosts: readonly string[], port = 443): RouteSpec => ({
  name,
  hostIp: '',
  port,
  mode: 'http',
  targets: [],
  rule: { ...PLAIN_RULE, hosts, redirect: { status: 301, scheme: null, host: hosts[0] ?? null, port: null, path: null } },
})

const SHOP: StackSpec = {
  name: 'shop',
  workingDir: '/srv/shop',
  configFiles: [],
  services: [
    service(
      'web',
      {
        containerName: 'the-web',
        ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', published: 8080, mode: 'ingress', appProtocol: 'http' }],
        secrets: [{ secret: 'key', target: '/run/secrets/key', uid: 0, gid: 0, mode: 0o444 }],
      },
      {
        networks: [{ network: 'default', aliases: ['www'], ipv4Address: '10.0.0.9' }],
        mounts: [
          { type: 'volume', volume: 'data', target: '/data', isReadOnly: false, isNoCopy: false, subpath: '' },
          {
            type: 'bind',
            source: '/srv/shop',
            target: '/src',
            isReadOnly: false,
            createSource: true,
            propagation: 'rprivate',
          },
        ],
      },
    ),
    service('nightly', {
      mode: 'replicated-job',
      job: {
        completions: 1,
        parallelism: 1,
        deadlineMs: null,
        retries: 0,
        schedule: {
          cron: '0 3 * * *',
          timeZone: 'UTC',
          concurrency: 'forbid',
          startingDeadlineMs: null,
          isSuspended: false,
          keepSucceeded: 3,
          keepFailed: 3,
        },
      },
    }),
  ],
  networks: [
    {
      key: 'default',
      name: 'shop_default',
      isExternal: false,
      isInternal: false,
      subnets: [{ subnet: '10.0.0.0/24', gateway: null }],
      labels: {},
    },
    { key: 'common', name: 'common', isExternal: true, isInternal: false, subnets: [], labels: {} },
  ],
  volumes: [
    {
      key: 'data',
      name: 'shop_data',
      isExternal: false,
      driverOptions: { type: 'none', o: 'bind', device: '/srv/data' },
      labels: {},
    },
    { key: 'old', name: 'old-data', isExternal: true, driverOptions: {}, labels: {} },
  ],
  secrets: [
    { key: 'key', name: 'shop_key', isExternal: false, labels: { a: 'b' } },
    { key: 'other', name: 'shop_other', isExternal: false, labels: {} },
  ],
  configs: [],
  policy: { inside: 'allow', allow: [{ from: ['shop/web', 'else/x'], to: [], ports: [] }], egress: [], isLogged: false },
  routes: [route('front', ['shop.example.com', '*.shop.example.com']), route('admin', [], 9000)],
}

test('a copy has names, networks, volumes, ports and hosts of its own, and says what it gave up', () => {
  const { spec, notes } = deriveEnvironment(SHOP, wish('pr-42', { routePorts: { admin: 31_000 } }))
  assert.equal(spec.name, 'shop--pr-42')
  const [web, nightly] = spec.services
  assert.deepEqual([web?.containerName, web?.ports[0]?.published], [null, null])
  assert.deepEqual(web?.task.networks, [{ network: 'default', aliases: ['www'] }])
  assert.deepEqual(
    web?.task.mounts.map((mount) => mount.type !== 'tmpfs' && mount.isReadOnly),
    [false, true],
  )
  assert.equal(nightly?.job?.schedule?.isSuspended, true)
  assert.deepEqual(
    spec.networks.map(({ name, isExternal, subnets }) => [name, isExternal, subnets]),
    [
      ['shop--pr-42_default', false, []],
      ['shop--pr-42_common', false, []],
    ],
  )
  assert.deepEqual(
    spec.volumes.map(({ name, isExternal, driverOptions }) => [name, isExternal, driverOptions]),
    [
      ['shop--pr-42_data', false, {}],
      ['shop--pr-42_old', false, {}],
    ],
  )
  assert.deepEqual(
    spec.secrets.map(({ name, isExternal }) => [name, isExternal]),
    [
      ['shop_key', true],
      ['shop_other', true],
    ],
  )
  assert.deepEqual(spec.policy?.allow[0]?.from, ['shop--pr-42/web', 'else/x'])
  assert.deepEqual(
    spec.routes?.map(({ rule, port }) => [rule.hosts, port, rule.redirect?.host]),
    [
      [['pr-42.shop.example.com', '*.pr-42.shop.example.com'], 443, 'pr-42.shop.example.com'],
      [[], 31_000, null],
    ],
  )
  for (const part of ['8080', 'the-web', '10.0.0.9', '/srv/shop', 'suspended', 'common', 'old-data', 'shop_key', '9000'])
    assert.ok(
      notes.some((note) => note.includes(part)),
      `${part} in ${notes.join('; ')}`,
    )
})

test('wishes are carried out, and those that mean nothing are refused by name', () => {
  const settings = ['web.image=web:2', 'web.environment.A=b=c', 'web.replicas=3', 'web.memory=64m', 'nightly.suspended=false']
  const more = { routePorts: { admin: 1 }, hosts: { 'shop.example.com': 'demo.test' }, own: { secrets: ['key'], configs: [] } }
  const { spec } = deriveEnvironment(SHOP, wish('x', { settings, ...more, hasWritableBinds: true }))
  const [web, nightly] = spec.services
  assert.deepEqual([web?.task.image, web?.task.environment['A'], web?.replicas], ['web:2', 'b=c', 3])
  assert.equal(web?.task.resources.memoryBytes, 64 * 1024 * 1024)
  assert.equal(nightly?.job?.schedule?.isSuspended, false)
  assert.equal(spec.routes?.[0]?.rule.hosts[0], 'demo.test')
  assert.deepEqual(
    spec.secrets.map(({ name, isExternal }) => [name, isExternal]),
    [
      ['shop--x_key', false],
      ['shop_other', true],
    ],
  )
  const refused = (code: string, message: RegExp, wrong: EnvironmentWish) =>
    assert.throws(() => deriveEnvironment(SHOP, { ...wrong, routePorts: { admin: 1 } }), { code, message })
  refused(
    'environment.setting_invalid',
    /api\.image: there is no such service, only web, nightly/,
    wish('x', { settings: ['api.image=a'] }),
  )
  refused('environment.setting_invalid', /web\.volumes: cannot be set/, wish('x', { settings: ['web.volumes=/a'] }))
  refused(
    'environment.setting_invalid',
    /web\.suspended: the service has no schedule/,
    wish('x', { settings: ['web.suspended=true'] }),
  )
  refused('environment.setting_invalid', /no secret token/, wish('x', { own: { secrets: ['token'], configs: [] } }))
  refused('environment.name_invalid', /"Pr_1" is no name/, wish('Pr_1'))
  refused('environment.name_invalid', /"a--b"/, wish('a--b'))
  refused('environment.host_invalid', /does not hold \{name\}/, wish('x', { hostPattern: 'all.{host}' }))
  refused('environment.host_invalid', /has the host nowhere\.test/, wish('x', { hosts: { 'nowhere.test': 'a.test' } }))
})

test('a value that is set is not a part of what is said of it', () => {
  try {
    deriveEnvironment(SHOP, wish('x', { settings: ['nobody.environment.PASSWORD=hush-hush'] }))
    assert.fail('accepted')
  } catch (error) {
    assert.equal(String(error).includes('hush-hush'), false)
  }
})

test('a copy differs from its application in what was wished alone, and with everything in more', () => {
  const { spec } = deriveEnvironment(
    SHOP,
    wish('x', { settings: ['web.image=web:2', 'web.environment.NEW=1'], routePorts: { admin: 1 } }),
  )
  assert.deepEqual(diffOf(SHOP, spec, false), [
    { path: 'web.environment.NEW', left: null, right: '"1"' },
    { path: 'web.image', left: '"web:1"', right: '"web:2"' },
  ])
  assert.ok(diffOf(SHOP, spec, true).length > 5)
  assert.deepEqual(diffOf(spec, spec, true), [])
})

const key = fc.constantFrom('a', 'b', 'default', 'data')
const host = fc.constantFrom('shop.example.com', '*.example.com', 'api.shop.example.com', 'x.test')
const name = fc.stringMatching(/^[a-z0-9]{1,4}(-[a-z0-9]{1,3})?$/)
const anyService = fc
  .record({
    containerName: fc.option(fc.constantFrom('one', 'two')),
    published: fc.array(fc.option(fc.integer({ min: 1, max: 65_535 })), { maxLength: 3 }),
    mode: fc.constantFrom<'ingress' | 'host'>('ingress', 'host'),
    volume: fc.option(key),
  })
  .map(({ containerName, published, mode, volume }) =>
    service(
      'web',
      {
        containerName,
        ports: published.map((port, index) => ({
          containerPort: 80 + index,
          protocol: 'tcp' as const,
          hostIp: '',
          published: port,
          mode,
          appProtocol: 'tcp' as const,
        })),
      },
      {
        mounts:
          volume === null ? [] : [{ type: 'volume', volume, target: '/v', isReadOnly: false, isNoCopy: false, subpath: '' }],
      },
    ),
  )
const anyStack: fc.Arbitrary<StackSpec> = fc
  .record({
    stack: fc.constantFrom('shop', 'shop_a', 'a', 'a-b'),
    service: anyService,
    networks: fc.uniqueArray(key, { maxLength: 3 }),
    isExternal: fc.boolean(),
    routes: fc.uniqueArray(
      fc.record({ name: fc.constantFrom('r1', 'r2', 'r3'), hosts: fc.uniqueArray(host, { maxLength: 2 }) }),
      {
        selector: (one) => one.name,
        maxLength: 3,
      },
    ),
  })
  .map(({ stack, service: web, networks, isExternal, routes }) => ({
    ...SHOP,
    name: stack,
    services: [web],
    networks: networks.map((one) => ({
      key: one,
      name: isExternal ? one : `${stack}_${one}`,
      isExternal,
      isInternal: false,
      subnets: [],
      labels: {},
    })),
    volumes: ['a', 'b', 'default', 'data'].map((one) => ({ key: one, name: one, isExternal, driverOptions: {}, labels: {} })),
    secrets: [],
    policy: { inside: 'allow', allow: [], egress: [], isLogged: false },
    routes: routes.map((one) => route(one.name, one.hosts)),
  }))

/** Everything that only one of several may have. */
function holdings({ services, networks, volumes, routes = [] }: StackSpec): readonly string[] {
  return [
    ...services.flatMap(({ containerName, ports }) => [
      ...(containerName === null ? [] : [`container ${containerName}`]),
      ...ports.flatMap(({ published }) => (published === null ? [] : [`port ${published}`])),
    ]),
    ...networks.map((network) => `network ${network.name}`),
    ...volumes.map((volume) => `volume ${volume.name}`),
    ...routes.flatMap(({ rule, port }) => (rule.hosts.length === 0 ? [`port ${port}`] : rule.hosts.map((one) => `host ${one}`))),
  ]
}

test('no two environments share a name, a port, a network, a volume or a host with each other or with their application', () => {
  let port = 20_000
  const portsOf = ({ routes = [] }: StackSpec) => Object.fromEntries(routes.map((one) => [one.name, (port += 1)]))
  fc.assert(
    fc.property(anyStack, name, name, (source, one, other) => {
      fc.pre(one !== other)
      const copies = [one, other].map((each) => deriveEnvironment(source, wish(each, { routePorts: portsOf(source) })).spec)
      const [first, second] = copies.map((copy) => new Set(holdings(copy)))
      assert.deepEqual(
        [...(first ?? [])].filter((held) => second?.has(held)),
        [],
      )
      const own = new Set(holdings(source))
      for (const held of first ?? []) assert.ok(!own.has(held), held)
      for (const copy of copies) assert.equal(readStackSpec(JSON.parse(JSON.stringify(copy))).name, copy.name)
    }),
    { numRuns: CASES },
  )
})

test('environments of different applications never get one name for two things', () => {
  fc.assert(
    fc.property(anyStack, anyStack, name, name, (left, right, one, other) => {
      fc.pre(left.name !== right.name)
      const plain = (source: StackSpec) => ({ ...source, routes: [] })
      const [first, second] = [
        deriveEnvironment(plain(left), wish(one)).spec,
        deriveEnvironment(plain(right), wish(other)).spec,
      ].map((copy) => new Set([copy.name, ...holdings(copy)]))
      assert.deepEqual(
        [...(first ?? [])].filter((held) => second?.has(held)),
        [],
      )
    }),
    { numRuns: CASES },
  )
})

test('deriving twice is equal, and leaves the source as it was', () => {
  fc.assert(
    fc.property(anyStack, name, (source, one) => {
      const before = JSON.stringify(source)
      const routePorts = Object.fromEntries((source.routes ?? []).map((each, index) => [each.name, 30_000 + index]))
      const [first, second] = [1, 2].map(() => deriveEnvironment(source, wish(one, { routePorts })))
      assert.deepEqual(first, second)
      assert.equal(JSON.stringify(source), before)
      assert.deepEqual(diffOf(source, first!.spec, false), [])
    }),
    { numRuns: CASES },
  )
})

function diffOf(left: StackSpec, right: StackSpec, isWhole: boolean) {
  return diffStacks({ spec: left, images: {} }, { spec: right, images: {} }, isWhole)
}
