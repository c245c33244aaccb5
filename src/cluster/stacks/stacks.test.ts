import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { memoryRecords, seededRandom, silentLog, virtualClock } from '#base'
import { keepNodeAlive, startAgent, TASK_LABELS } from '#cluster/agent'
import { startJobs } from '#cluster/jobs'
import { keyOf, prefixOf, type ServiceRecord, type StackRecord, type TaskRecord } from '#cluster/model'
import { startRouteLoop, type RouteFailure, type RoutePort, type RouteSpec } from '#cluster/routes'
import { DEFAULT_SETTINGS, startScheduling } from '#cluster/scheduler'
import { openMirror, openServices, SERVICE_PREFIXES, startServiceLoop, templateHash } from '#cluster/services'
import { PLAIN_SERVICE, readCompose, type StackSpec } from '#cluster/spec'
import { memoryStore } from '#cluster/store'

import { machine } from '../../../test/sim/machine.ts'
import { migrateStacks } from './migrate.ts'
import { openStacks } from './stacks.ts'

async function stack(text: string): Promise<StackSpec> {
  const input = {
    path: 'compose.yaml',
    text,
    directory: '/srv/shop',
    environment: {},
    dotEnv: null,
    stackName: null,
    profiles: null,
  }
  return (await readCompose({ ...input, readFile: () => null })).spec
}

/** `slow` images have a health check, `bad` ones end with 3, `job` ones with 0. */
const SHOP = `
services:
  web: { image: "good:1", ports: ["8080:80", "81"], scale: 2, depends_on: { db: { condition: service_healthy } } }
  db: { image: "slow:1", volumes: ["data:/data"] }
volumes: { data: }
`

const FOREVER = new AbortController().signal

function world() {
  const clock = virtualClock()
  const random = seededRandom(7)
  const store = memoryStore(clock)
  const broken: string[] = []
  const node = machine({ clock, random, name: 'node1', complain: (what) => void broken.push(what), onStop: () => undefined })
  let applied: readonly RouteSpec[] = []
  const refused: RouteFailure[] = []
  const versions: Record<string, number> = {}
  const routes: RoutePort = {
    apply: async (wanted) => {
      applied = wanted
      return await Promise.resolve(refused)
    },
    connections: async () => await Promise.resolve(new Map()),
    freePort: async () => await Promise.resolve(49_152),
  }
  const secrets = { versions: async () => await Promise.resolve({ ...versions }) }
  const records = memoryRecords()
  /** The whole control plane, as a daemon has it. */
  const open = () => {
    const log = silentLog()
    const owned = new AsyncDisposableStack()
    const mirror = owned.use(openMirror({ store, clock, log, prefixes: [...SERVICE_PREFIXES, 'stack/'] }))
    const description = {
      hostname: 'node1',
      platform: { os: 'linux', architecture: 'amd64' },
      nanoCpus: 4e9,
      memoryBytes: 4e9,
      engineLabels: {},
      engineVersion: '1',
    }
    const describeNode = async () => await Promise.resolve(description)
    const node1 = { nodeId: 'node1', store, clock, log }
    owned.use(keepNodeAlive({ ...node1, role: 'manager', describe: describeNode, address: 'node1' }))
    const metrics = { compare: async () => await Promise.resolve(undefined) }
    const images = { resolve: async (reference: string) => await node.port.resolveImage(reference) }
    const loop = owned.use(startServiceLoop({ store, mirror, clock, random, log, metrics, images }))
    owned.use(startScheduling({ store, picture: mirror, clock, log, settings: DEFAULT_SETTINGS, rebalanceEveryMs: null }))
    owned.use(startJobs({ store, picture: mirror, clock, log }))
    const checks = { probe: async () => await Promise.resolve({ isGood: true, output: '' }) }
    const routeLoop = owned.use(startRouteLoop({ mirror, routes, clock, log }))
    const stacks = owned.use(openStacks({ store, mirror, loop, routeLoop, node: node.port, routes, secrets, clock, random, log }))
    owned.use(startAgent({ ...node1, node: node.port, mirror, checks, connections: routes.connections }))
    const services = openServices({ store, mirror, clock, random, waits: (id) => loop.waits(id) })
    return Object.assign(stacks, { services, end: async () => await owned.disposeAsync() })
  }
  const pass = async (ms: number) => await clock.advance(ms)
  const all = <T>(kind: 'service' | 'task' | 'stack') =>
    [...store.peek()].flatMap(([key, value]) => (key.startsWith(prefixOf(kind)) ? [value as T] : []))
  return { clock, random, store, node, open, pass, refused, routes: () => applied, versions, secrets, records, all, broken }
}

type World = ReturnType<typeof world>

/** Time passes while it is waited for. */
async function during<T>(here: World, work: Promise<T>, ms = 200): Promise<T> {
  let isOver = false
  const settled = work.finally(() => (isOver = true))
  settled.catch(() => undefined)
  for (let passed = 0; passed < ms && !isOver; passed += 10) await here.pass(10)
  return await settled
}

const apply = async (here: World, stacks: ReturnType<World['open']>, text: string, images = {}) =>
  await during(here, stacks.apply(await stack(text), images))

const reasonOf = (service: { readonly name: string; readonly whyNotYet: string | null }) =>
  `${service.name}: ${service.whyNotYet}`

async function trial(story: (here: World, stacks: ReturnType<World['open']>) => Promise<void>): Promise<void> {
  const here = world()
  const stacks = here.open()
  try {
    await here.pass(100)
    await story(here, stacks)
    assert.deepEqual(here.broken, [])
  } finally {
    await during(here, stacks.end(), 5000)
  }
}

describe('stacks', () => {
  it('become what was applied, and tell it on the way', async () =>
    await trial(async (here, stacks) => {
      const change = await apply(here, stacks, SHOP)
      assert.deepEqual(change.changes, ['web: new, 2 replicas', 'db: new, 1 replica'])
      const events: string[] = []
      const watching = (async () => {
        for await (const event of stacks.watch('shop', FOREVER))
          events.push(...(event.kind === 'status' ? event.status.services.map(reasonOf) : [event.kind]))
      })()
      await here.pass(8000)
      await watching
      assert.equal(events.at(-1), 'settled')
      assert.ok(events.includes('web: waits for service db to be healthy'), events.join('\n'))
      const status = stacks.get('shop')
      assert.equal(status.state, 'ready')
      assert.deepEqual(status.services[0]?.urls, ['http://localhost:8080', 'http://localhost:49152'])
      const tasks = here.all<TaskRecord>('task')
      const web = here.all<ServiceRecord>('service').find(({ name }) => name === 'shop_web')
      const ids = tasks.filter(({ serviceId }) => serviceId === web?.id).map(({ id }) => id)
      assert.deepEqual(
        here.routes().map((route) => [route.id, route.backends.map((backend) => backend.id).toSorted()]),
        [
          ['shop/web/8080', ids.toSorted()],
          ['shop/web/49152', ids.toSorted()],
        ],
      )
      const names = [...here.node.containers.values()].map(({ name }) => name)
      assert.deepEqual(names.toSorted(), ['shop-db-1', 'shop-web-1', 'shop-web-2'])
      assert.equal((await apply(here, stacks, SHOP)).isChanged, false)
    }))

  it('are taken up again after the daemon went down', async () => {
    const here = world()
    const first = here.open()
    await here.pass(100)
    await apply(here, first, SHOP)
    await during(here, first.end(), 5000)
    const second = here.open()
    await here.pass(8000)
    assert.equal(second.get('shop').state, 'ready')
    await during(here, second.end(), 5000)
  })

  it('fail with the reason when a task ends again and again, or an image or a port is missing', async () =>
    await trial(async (here, stacks) => {
      await apply(here, stacks, 'services: { web: { image: "bad:1" } }')
      await here.pass(20_000)
      assert.equal(stacks.get('shop').state, 'failed')
      assert.match(stacks.get('shop').services[0]?.whyNotYet ?? '', /shop-web-1 ended with exit code 3 \(\d+ times in a row\)/)
      here.node.images.set('none:1', null)
      await apply(here, stacks, 'services: { web: { image: "none:1" } }')
      await here.pass(1000)
      assert.match(stacks.get('shop').services[0]?.whyNotYet ?? '', /the image none:1 is not on this node/)
      here.refused.push({ id: 'shop/web/80', reason: 'port 80 is in use by nginx' })
      await apply(here, stacks, 'services: { web: { image: "good:1", ports: ["80:80"] } }')
      await here.pass(6000)
      assert.equal(stacks.get('shop').services[0]?.whyNotYet, 'port 80 is in use by nginx')
    }))

  it('are never called ready while a port of theirs is refused', async () =>
    await trial(async (here, stacks) => {
      await apply(here, stacks, SHOP)
      await here.pass(8000)
      here.refused.push({ id: 'shop/web/8081', reason: 'port 8081 is taken' })
      await apply(here, stacks, SHOP.replace('8080:80', '8081:80'))
      const states: string[] = []
      const watching = (async () => {
        for await (const event of stacks.watch('shop', FOREVER))
          states.push(event.kind === 'removed' ? 'removed' : event.status.state)
      })()
      await here.pass(1000)
      await watching
      assert.ok(!states.includes('ready'), states.join(' '))
      assert.equal(states.at(-1), 'failed')
    }))

  it('shows a step that fails and tries it again', async () =>
    await trial(async (here, stacks) => {
      here.node.refuseNext('mount /data: source does not exist')
      await apply(here, stacks, 'services: { web: { image: "good:1" } }')
      await here.pass(200)
      assert.match(
        stacks.get('shop').services[0]?.whyNotYet ?? '',
        /shop-web-1 could not be created: mount \/data: source does not exist/,
      )
      await here.pass(3000)
      assert.equal(stacks.get('shop').state, 'ready')
    }))

  it('say at once that something of somebody else is missing', async () =>
    await trial(async (here, stacks) => {
      const text = 'services: { web: { image: "good:1", networks: [theirs] } }\nnetworks: { theirs: { external: true } }'
      await apply(here, stacks, text)
      assert.equal(stacks.get('shop').state, 'failed')
      assert.match(stacks.get('shop').services[0]?.whyNotYet ?? '', /the external network theirs does not exist/)
      await here.node.port.ensureNetwork({ name: 'theirs', isInternal: false, subnets: [], labels: {} })
      await apply(here, stacks, text)
      await here.pass(3000)
      assert.equal(stacks.get('shop').state, 'ready')
    }))

  it('roll to another image under the same tag when applied again', async () =>
    await trial(async (here, stacks) => {
      const text = 'services: { web: { image: "good:1", scale: 2 } }'
      await apply(here, stacks, text)
      await here.pass(3000)
      const change = await apply(here, stacks, text, { web: 'sha256:web1b' })
      assert.deepEqual(change.changes, ['web: another image'])
      await here.pass(15_000)
      assert.equal(stacks.get('shop').state, 'ready')
      assert.deepEqual(
        [...here.node.containers.values()].map(({ spec, state }) => [spec.imageId, state]),
        [
          ['sha256:web1b', 'running'],
          ['sha256:web1b', 'running'],
        ],
      )
    }))

  it('make new tasks for another version of a secret, and none for what only others need', async () =>
    await trial(async (here, stacks) => {
      const text = (more: string) => `
services: { web: { image: "good:1", secrets: [pw] }, ${more} }
secrets: { pw: { external: true } }
`
      here.versions['secret/pw'] = 1
      await apply(here, stacks, text(''))
      await here.pass(3000)
      const ids = () =>
        [...here.node.containers.values()].filter(({ labels }) => labels[TASK_LABELS.service] === 'web').map(({ id }) => id)
      const [first] = ids()
      await apply(here, stacks, text('other: { image: "good:1", networks: [inside] } }\nnetworks: { inside: '))
      await here.pass(3000)
      assert.deepEqual(ids(), [first])
      here.versions['secret/pw'] = 2
      assert.equal((await apply(here, stacks, text(''))).isChanged, true)
      await here.pass(10_000)
      assert.equal(ids().length, 1)
      assert.notEqual(ids()[0], first)
    }))

  it('take services away that the file has no longer, with their networks, and make one anew that is of another kind', async () =>
    await trial(async (here, stacks) => {
      await apply(here, stacks, 'services: { a: { image: "good:1", networks: [x] }, b: { image: "good:1" } }\nnetworks: { x: }')
      await here.pass(3000)
      assert.ok((await here.node.port.listNetworks()).includes('shop_x'))
      const change = await apply(here, stacks, 'services: { b: { image: "good:1", deploy: { mode: global } } }')
      assert.deepEqual(change.changes, ['b: other mode', 'a: removed', 'other networks'])
      assert.equal(stacks.get('shop').state, 'converging')
      await here.pass(5000)
      assert.deepEqual([stacks.get('shop').state, stacks.get('shop').services[0]?.mode], ['ready', 'global'])
      assert.deepEqual(await here.node.port.listNetworks(), ['shop_default'])
      assert.deepEqual(
        here.all<ServiceRecord>('service').map(({ name }) => name),
        ['shop_b'],
      )
    }))

  it('bring what was scaled by hand back when applied again', async () =>
    await trial(async (here, stacks) => {
      const text = 'services: { web: { image: "good:1", scale: 2 } }'
      await apply(here, stacks, text)
      await here.pass(3000)
      await during(here, stacks.services.scale('shop_web', 4))
      await here.pass(3000)
      assert.equal(stacks.get('shop').services[0]?.readyReplicas, 4)
      assert.deepEqual((await apply(here, stacks, text)).changes, ['web: 2 replicas (were 4)'])
      await here.pass(8000)
      assert.equal(stacks.get('shop').services[0]?.tasks.length, 2)
    }))

  it('go away when removed, with their volumes when told', async () =>
    await trial(async (here, stacks) => {
      await apply(here, stacks, SHOP)
      await here.pass(8000)
      const removed = stacks.remove('shop', { volumes: true, signal: FOREVER })
      await here.pass(1)
      await assert.rejects(apply(here, stacks, SHOP), { code: 'stack.is_being_removed' })
      await here.pass(3000)
      await removed
      assert.deepEqual(await here.node.port.listTasks(), [])
      assert.deepEqual(await here.node.port.listVolumes(), [])
      assert.deepEqual(await here.node.port.listNetworks(), [])
      assert.deepEqual(here.routes(), [])
      assert.deepEqual(here.all('stack').length + here.all('service').length + here.all('task').length, 0)
      assert.throws(() => stacks.get('shop'), { code: 'stack.not_found' })
    }))

  it('refuse a port that another stack publishes, and a name that another service has', async () =>
    await trial(async (here, stacks) => {
      await apply(here, stacks, SHOP)
      const other = 'name: other\nservices: { web: { image: "good:1", ports: ["127.0.0.1:8080:80"] } }'
      await assert.rejects(
        apply(here, stacks, other),
        /port 127\.0\.0\.1:8080\/tcp of service other\/web is published by shop\/web already/,
      )
      await apply(here, stacks, 'name: a_b\nservices: { c: { image: "good:1" } }')
      await assert.rejects(apply(here, stacks, 'name: a\nservices: { b_c: { image: "good:1" } }'), { code: 'stack.name_taken' })
    }))
})

describe('stacks of earlier versions', () => {
  it('are taken over with the containers that run, and jobs that are done are not done again', async () => {
    const here = world()
    const read = await stack(
      'services: { web: { image: "good:1", scale: 2 }, old: { image: "good:1" }, init: { image: "job:1", restart: "no" } }',
    )
    // What later versions added is not there.
    const missing = new Set([...Object.keys(PLAIN_SERVICE)])
    const services = read.services.map((service) =>
      Object.fromEntries(Object.entries(service).filter(([key]) => !missing.has(key))),
    )
    const { secrets: _secrets, configs: _configs, ...spec } = { ...read, services }
    const images = { web: 'sha256:web', old: 'sha256:old', init: 'sha256:init' }
    const record = { spec, revision: 3, state: 'active', removeVolumes: false, images, chosenPorts: {} }
    here.records.table('stacks').put('shop', record)
    const container = (service: string, number: number, state: 'running' | 'exited', hash: string) => {
      const labels = {
        [TASK_LABELS.stack]: 'shop',
        [TASK_LABELS.service]: service,
        [TASK_LABELS.number]: String(number),
        [TASK_LABELS.hash]: hash,
      }
      const name = `shop-${service}-${number}`
      const times = { startedAtMs: 1, finishedAtMs: state === 'exited' ? 2 : null }
      const is = {
        exitCode: 0,
        error: '',
        isOomKilled: false,
        health: 'none',
        healthOutput: '',
        addresses: { shop_default: '10.0.0.2' },
      } as const
      const taskSpec = { image: 'good:1', hostPorts: [], mounts: [], name, labels }
      here.node.adopt({ id: `${service}${number}`, name, labels, state, ...times, ...is, spec: taskSpec } as never)
    }
    const hashOf = (name: keyof typeof images) => {
      const service = read.services.find((one) => one.name === name)
      assert.ok(service !== undefined)
      return templateHash(service, { networks: read.networks, volumes: [], versions: {} }, images[name])
    }
    for (const number of [1, 2]) container('web', number, 'running', hashOf('web'))
    container('old', 1, 'running', 'of another version')
    container('init', 1, 'exited', hashOf('init'))
    container('gone', 1, 'running', 'whatever')

    const stacks = here.open()
    await here.pass(100)
    const { store, secrets, clock, random, records, node } = here
    await during(
      here,
      migrateStacks({ store, secrets, clock, random, records, node: node.port, nodeId: 'node1', log: silentLog() }),
    )
    assert.deepEqual(records.table('stacks').entries(), [])
    assert.equal((store.peek().get(keyOf('stack', 'shop')) as StackRecord).revision, 3)
    await here.pass(5000)
    assert.equal(stacks.get('shop').state, 'ready')
    const left = [...node.containers.values()].map(({ id, labels }) => [labels[TASK_LABELS.service], id] as const)
    assert.deepEqual(
      left.filter(([service]) => service !== 'old').map(([, id]) => id),
      ['web1', 'web2', 'init1'],
    )
    const replaced = left.filter(([service]) => service === 'old').map(([, id]) => id)
    assert.ok(replaced.length === 1 && replaced[0] !== 'old1', replaced.join(' '))
    await during(here, stacks.end(), 5000)
  })
})
