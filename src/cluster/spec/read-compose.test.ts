import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { GloveboxError } from '#base'

import { readCompose, type ComposeInput } from './read-compose.ts'
import { readStackSpec } from './read-stack-spec.ts'

const GUESTBOOK = `
name: guestbook
x-common: &common
  restart: unless-stopped
  labels: { tier: front }
services:
  web:
    <<: *common
    build: { context: ., target: run, args: [VERSION=2] }
    image: "guestbook:\${TAG:-dev}"
    ports: ["8080:3000"]
    environment:
      DATABASE_URL: postgres://db/\${DB_NAME}
      PRICE: $$5
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
    deploy:
      replicas: \${REPLICAS:-3}
      resources: { limits: { cpus: "0.5", memory: 64m } }
  migrate:
    image: guestbook:dev
    command: node migrate.js --name "two words"
  db:
    image: postgres:16
    volumes:
      - pgdata:/var/lib/postgresql/data
      - ./init.sql:/docker-entrypoint-initdb.d/init.sql:ro
    healthcheck: { test: pg_isready, interval: 2s, retries: 5 }
  debug:
    image: busybox
    profiles: [tools]
volumes:
  pgdata:
`

function input(text: string, more: Partial<ComposeInput> = {}): ComposeInput {
  return {
    path: 'compose.yaml',
    text,
    directory: '/srv/My App',
    environment: {},
    dotEnv: 'DB_NAME=guests\nTAG=from-file\n',
    stackName: null,
    profiles: null,
    readFile: () => null,
    ...more,
  }
}

async function problemsOf(text: string, more: Partial<ComposeInput> = {}): Promise<readonly string[]> {
  const error = await readCompose(input(text, more)).then(
    () => null,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof GloveboxError, 'the file was accepted')
  assert.equal(error.code, 'compose.invalid')
  return error.message.split('\n')
}

describe('reading a Compose file', () => {
  it('gives the model with variables, anchors, defaults and names filled in', async () => {
    const { spec, builds, warnings } = await readCompose(input(GUESTBOOK, { environment: { TAG: 'v1' } }))
    assert.deepEqual(warnings, [])
    assert.equal(spec.name, 'guestbook')
    assert.deepEqual(
      spec.services.map((service) => service.name),
      ['web', 'migrate', 'db'],
    )
    const [web, migrate, db] = spec.services
    assert.equal(web?.task.image, 'guestbook:v1')
    assert.equal(web.replicas, 3)
    assert.deepEqual(web.task.environment, { DATABASE_URL: 'postgres://db/guests', PRICE: '$5' })
    assert.deepEqual(web.task.labels, { tier: 'front' })
    assert.equal(builds['web']?.context, '/srv/My App')
    assert.deepEqual(
      [builds['web'].dockerfile, builds['web'].args, builds['web'].target],
      ['Dockerfile', { VERSION: '2' }, 'run'],
    )
    assert.deepEqual(web.ports, [
      { containerPort: 3000, protocol: 'tcp', hostIp: '', published: 8080, mode: 'ingress', appProtocol: 'tcp' },
    ])
    assert.equal(web.task.resources.memoryBytes, 64 * 1024 * 1024)
    assert.equal(web.task.resources.nanoCpus, 5e8)
    assert.deepEqual(migrate?.task.command, ['node', 'migrate.js', '--name', 'two words'])
    assert.equal(migrate.restart.condition, 'on-failure')
    assert.equal(db?.restart.condition, 'always')
    assert.deepEqual(db.task.health?.test, ['CMD-SHELL', 'pg_isready'])
    assert.deepEqual(
      db.task.mounts.map((mount) => (mount.type === 'bind' ? mount.source : mount.type === 'volume' ? mount.volume : '')),
      ['pgdata', '/srv/My App/init.sql'],
    )
    assert.deepEqual(
      spec.networks.map((network) => network.name),
      ['guestbook_default'],
    )
    assert.deepEqual(
      spec.volumes.map((volume) => volume.name),
      ['guestbook_pgdata'],
    )
  })

  it('is accepted unchanged by the reader of the wire', async () => {
    const { spec } = await readCompose(input(GUESTBOOK))
    assert.deepEqual(readStackSpec(JSON.parse(JSON.stringify(spec))), spec)
  })

  it('names the stack after the caller, the environment, the file or the directory, in this order', async () => {
    const nameless = 'services: { web: { image: x } }'
    const nameOf = async (text: string, more: Partial<ComposeInput> = {}) => (await readCompose(input(text, more))).spec.name
    assert.equal(await nameOf(nameless), 'myapp')
    assert.equal(await nameOf(`name: filed\n${nameless}`), 'filed')
    assert.equal(await nameOf(`name: filed\n${nameless}`, { environment: { COMPOSE_PROJECT_NAME: 'env' } }), 'env')
    assert.equal(await nameOf(nameless, { stackName: 'said' }), 'said')
  })

  it('tells all problems at once, each with its place and its service', async () => {
    const text = `services:
  web:
    imagee: nginx
    gpus: all
    ports: ["99999:80"]
  db:
    image: postgres
    network_mode: nowhere
    deploy:
      replicas: many
    depends_on: [cache]
volumes:
  data:
    driver: nfs
`
    assert.deepEqual(await problemsOf(text), [
      'compose.yaml:2:3 service web: needs an "image" or a "build"',
      'compose.yaml:3:5 service web: field "imagee" is unknown',
      'compose.yaml:4:5 service web: field "gpus" is not supported: the engine has no GPUs',
      'compose.yaml:5:13 service web: "ports" entry "99999:80" is not [[ip:]host:]container[/protocol] with ports from 1 to 65535',
      'compose.yaml:8:5 service db: "nowhere" is not one of host, none, bridge, service:NAME, container:NAME',
      'compose.yaml:10:7 service db: "replicas" must be a number, not "many"',
      'compose.yaml:11:5 service db: depends on service "cache", which the file does not have',
      'compose.yaml:14:5 volume data: volume driver "nfs" is not supported: use local',
    ])
  })

  it('refuses what cannot hold', async () => {
    const one = async (service: string) => (await problemsOf(`services:\n  web: { image: x, ${service} }`))[0]
    assert.match((await one('container_name: web, scale: 2')) ?? '', /cannot be shared by 2 replicas/)
    assert.match((await one('depends_on: [web]')) ?? '', /depends on itself: web → web/)
    assert.match((await one('volumes: ["data:/data"]')) ?? '', /volume "data" is not declared/)
    assert.match((await one('networks: [back]')) ?? '', /network "back" is not declared/)
    assert.match((await one('mem_limit: lots')) ?? '', /"lots" is not a size/)
    assert.match((await one('command: "echo \'"')) ?? '', /never closed/)
    assert.match((await one('image2: y')) ?? '', /field "image2" is unknown/)
    assert.match((await one('environment: { A: "${B:?say B}" }')) ?? '', /required variable B is missing a value: say B/)
  })

  it('places YAML errors', async () => {
    const [first] = await problemsOf('services:\n  web: {image: x\n')
    assert.match(first ?? '', /^compose\.yaml:\d+:\d+ /)
    assert.deepEqual(await problemsOf(''), ['compose.yaml:1:1 the file is empty'])
  })

  it('does not unfold a file that multiplies itself without end', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let index = 1; index < 9; index += 1)
      lines.push(
        `a${index}: &a${index} [${Array(10)
          .fill(`*a${index - 1}`)
          .join(', ')}]`,
      )
    const [first] = await problemsOf(lines.join('\n'))
    assert.match(first ?? '', /more than 100000 values/)
  })

  it('takes profiles, env files and secrets', async () => {
    const text = `services:
  web:
    image: x
    profiles: [front]
    env_file: [{ path: ./web.env }, { path: ./none.env, required: false }]
    environment: [HOME]
    secrets: [token]
secrets: { token: { file: ./token.txt } }
`
    const files: Readonly<Record<string, string>> = { '/srv/My App/web.env': 'A=1\nexport B="two\\nlines" # said\n' }
    const { spec, values } = await readCompose(
      input(text, { profiles: ['front'], environment: { HOME: '/home/u' }, readFile: (path) => files[path] ?? null }),
    )
    assert.deepEqual(spec.services[0]?.task.environment, { A: '1', B: 'two\nlines', HOME: '/home/u' })
    assert.deepEqual(spec.services[0].secrets, [{ secret: 'token', target: '/run/secrets/token', uid: 0, gid: 0, mode: 0o444 }])
    assert.deepEqual(spec.secrets, [{ key: 'token', name: 'myapp_token', isExternal: false, labels: {} }])
    assert.deepEqual(values, { secrets: { token: { type: 'file', path: '/srv/My App/token.txt' } }, configs: {} })
    assert.match((await problemsOf(text))[0] ?? '', /no service is left to run/)
  })
})

describe('the reader of the wire', () => {
  it('names the places of what is wrong', () => {
    assert.throws(
      () => readStackSpec({ name: 'A b', services: 1 }),
      /stack\.name must be a stack name, not "A b".*stack\.services must be a list/,
    )
    assert.throws(() => readStackSpec(null), /stack must be a mapping, not null/)
  })
})
