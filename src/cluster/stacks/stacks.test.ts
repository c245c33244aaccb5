import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { memoryRecords, seededRandom, silentLog, virtualClock, type RecordStore } from '#base'
import { simulatedNode, type RouteFailure, type RoutePort, type RouteSpec } from '#cluster/reconcile'
import { readCompose, type StackSpec } from '#cluster/spec'

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

const SHOP = `
services:
  web: { image: "web:1", ports: ["8080:80", "81"], scale: 2, depends_on: { db: { condition: service_healthy } } }
  db: { image: "db:1", volumes: ["data:/data"] }
volumes: { data: }
`

function world(store: RecordStore = memoryRecords()) {
  const clock = virtualClock()
  const node = simulatedNode(seededRandom(7), clock.nowMs())
  node.setImage('web:1', { id: 'sha256:web1', runsMs: null, exitCode: 0, healthyAfterMs: null })
  node.setImage('db:1', { id: 'sha256:db1', runsMs: null, exitCode: 0, healthyAfterMs: 500 })
  node.setImage('bad:1', { id: 'sha256:bad1', runsMs: 50, exitCode: 3, healthyAfterMs: null })
  let applied: readonly RouteSpec[] = []
  const refused: RouteFailure[] = []
  const routes: RoutePort = {
    apply: async (wanted) => {
      applied = wanted
      return refused
    },
    connections: async () => new Map(),
    freePort: async () => 49_152,
  }
  const open = () => openStacks({ store, node, routes, clock, log: silentLog() })
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      await clock.advance(50)
      node.tick(clock.nowMs())
      await clock.advance(0)
    }
  }
  return { node, open, pass, refused, routes: () => applied, store }
}

const reasonOf = (service: { readonly name: string; readonly whyNotYet: string | null }) =>
  `${service.name}: ${service.whyNotYet}`
const FOREVER = new AbortController().signal

describe('stacks', () => {
  it('become what was applied, and tell it on the way', async () => {
    const here = world()
    await using stacks = here.open()
    const change = await stacks.apply(await stack(SHOP), {})
    assert.deepEqual(change.changes, ['web: new, 2 replicas', 'db: new, 1 replica'])
    const events: string[] = []
    const watching = (async () => {
      for await (const event of stacks.watch('shop', FOREVER))
        events.push(...(event.kind === 'status' ? event.status.services.map(reasonOf) : [event.kind]))
    })()
    await here.pass(4000)
    await watching
    assert.equal(events.at(-1), 'settled')
    assert.ok(events.includes('web: waits for service db to be healthy'), events.join('\n'))
    const status = stacks.get('shop')
    assert.equal(status.state, 'ready')
    assert.deepEqual(status.services[0]?.urls, ['http://localhost:8080', 'http://localhost:49152'])
    assert.deepEqual(
      here.routes().map((route) => [route.id, route.backends.map((backend) => backend.id)]),
      [
        ['shop/web/8080', ['shop-web-1', 'shop-web-2']],
        ['shop/web/49152', ['shop-web-1', 'shop-web-2']],
      ],
    )
    assert.equal((await stacks.apply(await stack(SHOP), {})).isChanged, false)
  })

  it('are taken up again after the daemon went down', async () => {
    const here = world()
    const first = here.open()
    await first.apply(await stack(SHOP), {})
    await first[Symbol.asyncDispose]()
    await using second = here.open()
    second.recover()
    await here.pass(4000)
    assert.equal(second.get('shop').state, 'ready')
  })

  it('fail with the reason when a task ends again and again, or an image or a port is missing', async () => {
    const here = world()
    await using stacks = here.open()
    await stacks.apply(await stack('services: { web: { image: "bad:1" } }'), {})
    await here.pass(12_000)
    assert.equal(stacks.get('shop').state, 'failed')
    assert.match(stacks.get('shop').services[0]?.whyNotYet ?? '', /shop-web-1 ended with exit code 3 \(\d+ times in a row\)/)
    await stacks.apply(await stack('services: { web: { image: "none:1" } }'), {})
    await here.pass(1000)
    assert.match(stacks.get('shop').services[0]?.whyNotYet ?? '', /the image none:1 is not on this node/)
    here.refused.push({ id: 'shop/web/80', reason: 'port 80 is in use by nginx' })
    await stacks.apply(await stack('services: { web: { image: "web:1", ports: ["80:80"] } }'), {})
    await here.pass(6000)
    assert.equal(stacks.get('shop').services[0]?.whyNotYet, 'port 80 is in use by nginx')
  })

  it('are never called ready while a port of theirs is refused', async () => {
    const here = world()
    await using stacks = here.open()
    await stacks.apply(await stack(SHOP), {})
    await here.pass(4000)
    here.refused.push({ id: 'shop/web/8081', reason: 'port 8081 is taken' })
    await stacks.apply(await stack(SHOP.replace('8080:80', '8081:80')), {})
    const states: string[] = []
    const watching = (async () => {
      for await (const event of stacks.watch('shop', FOREVER))
        states.push(event.kind === 'removed' ? 'removed' : event.status.state)
    })()
    await here.pass(1000)
    await watching
    assert.ok(!states.includes('ready'), states.join(' '))
    assert.equal(states.at(-1), 'failed')
  })

  it('shows a step that fails and tries it again', async () => {
    const here = world()
    await using stacks = here.open()
    here.node.failNext('create', 'mount /data: source does not exist')
    await stacks.apply(await stack('services: { web: { image: "web:1" } }'), {})
    await here.pass(300)
    assert.match(stacks.get('shop').services[0]?.whyNotYet ?? '', /shop-web-1: create task: mount \/data: source does not exist/)
    await here.pass(3000)
    assert.equal(stacks.get('shop').state, 'ready')
  })

  it('roll to another image under the same tag when applied again', async () => {
    const here = world()
    await using stacks = here.open()
    const spec = await stack('services: { web: { image: "web:1", scale: 2 } }')
    await stacks.apply(spec, {})
    await here.pass(3000)
    here.node.setImage('web:1', { id: 'sha256:web1b', runsMs: null, exitCode: 0, healthyAfterMs: null })
    const change = await stacks.apply(spec, { web: 'sha256:web1b' })
    assert.deepEqual(change.changes, ['web: another image'])
    await here.pass(9000)
    assert.equal(stacks.get('shop').state, 'ready')
    assert.equal(here.node.calls.filter((call) => call.startsWith('create')).length, 4)
  })

  it('go away when removed, with their volumes when told', async () => {
    const here = world()
    await using stacks = here.open()
    await stacks.apply(await stack(SHOP), {})
    await here.pass(4000)
    const removed = stacks.remove('shop', { volumes: true, signal: FOREVER })
    await assert.rejects(stacks.apply(await stack(SHOP), {}), { code: 'stack.is_being_removed' })
    await here.pass(1000)
    await removed
    assert.deepEqual(await here.node.listTasks(), [])
    assert.deepEqual(await here.node.listVolumes(), [])
    assert.deepEqual(here.routes(), [])
    assert.throws(() => stacks.get('shop'), { code: 'stack.not_found' })
  })

  it('refuse a port that another stack publishes', async () => {
    const here = world()
    await using stacks = here.open()
    await stacks.apply(await stack(SHOP), {})
    const other = await stack('name: other\nservices: { web: { image: "web:1", ports: ["127.0.0.1:8080:80"] } }')
    await assert.rejects(
      stacks.apply(other, {}),
      /port 127\.0\.0\.1:8080\/tcp of service other\/web is published by shop\/web already/,
    )
  })
})
