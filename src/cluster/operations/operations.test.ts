import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isKind } from '#base'
import { openHistory } from '#cluster/history'

import { wishFor, type ServiceChoice } from '../../../test/sim/specs.ts'
import { openWorld, type World } from '../../../test/sim/world.ts'
import { openNodes } from './open-nodes.ts'
import { openOperations } from './open-operations.ts'
import type { Operations, ServiceEvent } from './port.ts'

const ANN = { by: 'ann', from: 'cli' } as const

async function rig(choice: ServiceChoice = { name: 'web', replicas: 2 }) {
  const world = openWorld(3, 2)
  const { services, clock } = world
  await world.pass(1000)
  await services.create(wishFor(choice))
  await world.pass(8000)
  const operations = openOperations({
    services,
    history: openHistory(world.store),
    clock,
    listen: (changed) => world.loop()?.listen(changed) ?? { [Symbol.dispose]: () => undefined },
    resolveImage: async (reference) => await Promise.resolve(reference === 'nosuch:1' ? undefined : `sha256:${reference}`),
    restated: (said) => said,
  })
  return { world, operations, services }
}

/** Follows a service while time passes. */
async function followed(world: World, operations: Operations, revision: number, ms = 60_000): Promise<readonly ServiceEvent[]> {
  const events: ServiceEvent[] = []
  let isOver = false
  const ending = new AbortController()
  const following = (async () => {
    for await (const event of operations.watch('shop/web', { revision }, ending.signal)) events.push(event)
  })().finally(() => (isOver = true))
  following.catch(() => undefined)
  for (let passed = 0; passed < ms && !isOver; passed += 250) await world.pass(250)
  ending.abort()
  await following
  return events
}

describe('what is asked of a service', () => {
  it('is found under both of its names, and what is not there is not found', async () => {
    const { operations } = await rig()
    assert.equal((await operations.get('shop/web')).service.name, 'shop_web')
    assert.equal((await operations.get('shop_web')).service.title, 'shop/web')
    assert.equal((await operations.tasks(['shop/web'], {})).length, 2)
    await assert.rejects(operations.get('shop/db'), (error) => isKind(error, 'not_found'))
  })

  it('is carried out as it was shown, or not at all', async () => {
    const { world, operations } = await rig()
    const verb = { verb: 'deploy', image: 'good:2', environment: { A: '1' } } as const
    const plan = await operations.preview('shop/web', verb)
    assert.deepEqual(
      plan.operations[0]?.fields.map(({ path }) => path.join('.')),
      ['imageId', 'spec.task.environment.A', 'spec.task.image'],
    )
    await operations.perform('shop/web', { verb: 'scale', replicas: 3 }, { actor: ANN })
    await world.pass(5000)
    // Scaling is no part of the image: what was shown is still what is done.
    const done = await operations.perform('shop/web', verb, { actor: ANN, planId: plan.id })
    assert.deepEqual([done.revision, done.service.desiredTasks], [2, 3])
    await world.pass(60_000)
    await assert.rejects(operations.perform('shop/web', verb, { actor: ANN, planId: plan.id }), /this is not what was shown/)
  })

  it('leaves what it is scaled to, and a number for who has none is refused', async () => {
    const { world, operations } = await rig()
    await operations.perform('shop/web', { verb: 'scale', replicas: 4 }, { actor: ANN })
    await world.pass(10_000)
    await operations.perform('shop/web', { verb: 'deploy', isForced: true }, { actor: ANN })
    await world.pass(60_000)
    const { service } = await operations.get('shop/web')
    assert.deepEqual([service.state, service.readyTasks, service.desiredTasks], ['ready', 4, 4])
    const global = await rig({ name: 'web', mode: 'global' })
    await assert.rejects(global.operations.preview('shop/web', { verb: 'deploy', replicas: 2 }), /it has no replicas to set/)
  })

  it('goes back to a numbered revision as a change like any other', async () => {
    const { world, operations } = await rig()
    for (const image of ['good:2', 'good:3']) {
      await operations.perform('shop/web', { verb: 'deploy', image }, { actor: ANN })
      await world.pass(60_000)
    }
    const { revision } = await operations.perform('shop/web', { verb: 'rollback', revision: 1 }, { actor: ANN })
    await world.pass(60_000)
    const { service } = await operations.get('shop/web')
    assert.deepEqual([revision, service.image, service.state], [4, 'good:1', 'ready'])
    await assert.rejects(operations.preview('shop/web', { verb: 'rollback', revision: 9 }), /has no revision 9/)
  })
})

describe('whoever follows a service', () => {
  it('is told that it is there once it is, and not before', async () => {
    const { world, operations } = await rig()
    const { revision } = await operations.perform('shop/web', { verb: 'deploy', image: 'good:2' }, { actor: ANN })
    const events = await followed(world, operations, revision)
    const last = events.at(-1)
    assert.ok(last?.kind === 'settled' && last.outcome === 'ready')
    assert.ok(last.service.readyTasks === 2 && last.service.rollout?.state === 'completed')
    assert.ok(events.length > 2)
  })

  it('is told why it went back', async () => {
    const { world, operations } = await rig({ name: 'web', replicas: 2, update: { failureAction: 'rollback' } })
    const { revision } = await operations.perform('shop/web', { verb: 'deploy', image: 'bad:1' }, { actor: ANN })
    const last = (await followed(world, operations, revision)).at(-1)
    assert.ok(last?.kind === 'settled' && last.outcome === 'failed')
    assert.match(last.reason, /rolled back to revision 1: 1 new task failed: exit code 3/)
  })

  it('is told that a rollout stands still, that it is paused, and that it is gone', async () => {
    const { world, operations } = await rig()
    const { revision } = await operations.perform('shop/web', { verb: 'deploy', image: 'bad:1' }, { actor: ANN })
    const halted = (await followed(world, operations, revision)).at(-1)
    assert.ok(halted?.kind === 'settled' && halted.outcome === 'failed')
    assert.match(halted.reason, /stands still: 1 new task failed/)
    await operations.perform('shop/web', { verb: 'abort' }, { actor: ANN }).catch(() => undefined)
    await operations.perform('shop/web', { verb: 'pause' }, { actor: ANN })
    const paused = (await followed(world, operations, (await operations.get('shop/web')).service.revision)).at(-1)
    assert.ok(paused?.kind === 'settled' && paused.outcome === 'held')
    await operations.perform('shop/web', { verb: 'remove' }, { actor: ANN })
    assert.equal((await followed(world, operations, 1)).at(-1)?.kind, 'removed')
  })

  it('is told that a newer wish took the place of the one that it follows', async () => {
    const { world, operations } = await rig()
    const { revision } = await operations.perform('shop/web', { verb: 'deploy', image: 'good:2' }, { actor: ANN })
    await operations.perform('shop/web', { verb: 'deploy', image: 'good:3' }, { actor: ANN })
    const last = (await followed(world, operations, revision)).at(-1)
    assert.ok(last?.kind === 'settled' && last.outcome === 'failed')
    assert.match(last.reason, /a newer wish took its place: revision 3 is there/)
  })
})

describe('nodes', () => {
  it('get labels one by one, and lose their tasks when they are drained', async () => {
    const { world, services } = await rig()
    const nodes = openNodes({ services, scheduling: { moves: () => [], rebalance: async () => await Promise.resolve([]) } })
    await nodes.update('node1', { labels: { zone: 'a', disk: 'ssd' } })
    await nodes.update('node1', { labels: { disk: null } })
    assert.deepEqual((await nodes.get('node1')).node.labels, { zone: 'a' })
    await nodes.update('node1', { availability: 'drain' })
    await world.pass(60_000)
    const list = await nodes.list()
    assert.deepEqual(
      list.map(({ hostname, tasks }) => [hostname, tasks]),
      [
        ['node1', 0],
        ['node2', 2],
      ],
    )
  })
})

describe('a job', () => {
  it('is done when the run of its revision is, and failed when that failed', async () => {
    const job = { completions: 1, parallelism: 1, retries: 0, deadlineMs: null, schedule: null }
    const { world, operations } = await rig({ name: 'web', mode: 'replicated-job', image: 'job:1', job })
    await world.pass(60_000)
    assert.equal((await operations.get('shop/web')).service.state, 'done')
    const again = await operations.perform('shop/web', { verb: 'deploy', image: 'job:2' }, { actor: ANN })
    assert.equal(again.service.state, 'converging')
    const last = (await followed(world, operations, again.revision)).at(-1)
    assert.ok(last?.kind === 'settled' && last.outcome === 'ready')
    const bad = await operations.perform('shop/web', { verb: 'deploy', image: 'bad:1' }, { actor: ANN })
    const end = (await followed(world, operations, bad.revision)).at(-1)
    assert.ok(end?.kind === 'settled' && end.outcome === 'failed', JSON.stringify(end))
    assert.match(end.reason, /exit code 3/)
  })
})
