import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { RolloutSpec } from '#cluster/spec'

import { wishFor, type ServiceChoice } from './specs.ts'
import { openWorld } from './world.ts'

const CANARY: Partial<RolloutSpec> = {
  strategy: 'canary',
  failureAction: 'rollback',
  monitorMs: 1000,
  canary: {
    steps: [{ weightPercent: 25, holdMs: 3000 }],
    minRequests: 50,
    maxErrorRatio: 0.05,
    latencyPercentile: 0.95,
    maxLatencyRatio: 2,
    isPromotedByHand: false,
  },
}

async function running(choice: ServiceChoice, nodes = 2) {
  const world = openWorld(1, nodes)
  await world.pass(1000)
  const { record } = await world.services.create(wishFor(choice))
  await world.pass(8000)
  const update = async (to: Partial<ServiceChoice>) => await world.services.update(record.id, wishFor({ ...choice, ...to }))
  const sight = async () => await world.services.get(record.id)
  const weights: (number | null)[] = []
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      await world.pass(250)
      const weight = world.record('shop_web')?.rollout?.weightPercent ?? null
      if (weights.at(-1) !== weight) weights.push(weight)
    }
    assert.deepEqual(world.broken, [])
  }
  return { world, id: record.id, update, sight, pass, weights }
}

describe('a service', () => {
  it('gets its tasks, and another one for each that ends', async () => {
    const { world, sight, pass } = await running({ name: 'web', replicas: 3 })
    assert.equal((await sight()).readyTasks, 3)
    world.machines.get('node1')?.crashOne()
    await pass(3000)
    assert.equal((await sight()).readyTasks, 3)
    const [last] = (await world.services.tasks({ isEnded: true })).map(({ record }) => record)
    assert.equal(last?.status.state, 'failed')
    assert.match(last?.reason ?? '', /another task takes its place: it ended with exit code 139/)
  })

  it('rolls from one revision to the next and says that it is through', async () => {
    const { update, sight, pass } = await running({ name: 'web', replicas: 3 })
    await update({ image: 'good:2' })
    await pass(20_000)
    const { record, readyTasks, waits } = await sight()
    assert.deepEqual([record.rollout?.state, readyTasks, waits], ['completed', 3, []])
  })

  it('goes back by itself when new tasks fail, and keeps the reason', async () => {
    const { update, sight, pass } = await running({ name: 'web', replicas: 2, update: { failureAction: 'rollback' } })
    await update({ image: 'bad:1', update: { failureAction: 'rollback' } })
    await pass(30_000)
    const { record, readyTasks, revision } = await sight()
    assert.deepEqual([record.rollout?.state, readyTasks, revision.spec.task.image], ['rolled-back', 2, 'good:1'])
    assert.match(record.rollout?.reason ?? '', /1 new task failed: exit code 3/)
  })

  it('stands still when new tasks fail and that is what was asked, and goes on when told', async () => {
    const { world, id, update, sight, pass } = await running({ name: 'web', replicas: 2 })
    await update({ image: 'bad:1' })
    await pass(10_000)
    const { record, waits } = await sight()
    assert.equal(record.rollout?.state, 'paused')
    assert.match(waits[0]?.reason ?? '', /the rollout to revision 2 stands still: 1 new task failed/)
    await world.services.abort(id)
    await pass(20_000)
    assert.equal((await sight()).revision.spec.task.image, 'good:1')
  })

  it('has traffic go over at once in blue-green, with the old tasks standing by', async () => {
    const update: Partial<RolloutSpec> = { strategy: 'blue-green', monitorMs: 2000 }
    const service = await running({ name: 'web', replicas: 2, update })
    await service.update({ image: 'good:2', update })
    await service.pass(15_000)
    assert.deepEqual(service.weights, [0, 100, null])
    assert.equal((await service.sight()).readyTasks, 2)
  })

  it('lets a canary through that answers well', async () => {
    const service = await running({ name: 'web', replicas: 4, update: CANARY })
    await service.update({ image: 'good:2', update: CANARY })
    await service.pass(25_000)
    const { record } = await service.sight()
    assert.equal(record.rollout?.state, 'completed')
    assert.deepEqual(service.weights, [0, 25, 100, null])
    assert.match(record.rollout?.judgements[0]?.reason ?? '', /error ratio 0 of \d+ requests/)
  })

  it('takes a canary back that answers badly', async () => {
    const service = await running({ name: 'web', replicas: 4, update: CANARY })
    service.world.errorRatios.set(`${service.id}/2`, 0.2)
    await service.update({ image: 'good:2', update: CANARY })
    await service.pass(25_000)
    const { record, revision } = await service.sight()
    assert.deepEqual([record.rollout?.state, revision.spec.task.image], ['rolled-back', 'good:1'])
    assert.match(record.rollout?.reason ?? '', /step 1 of the canary: error ratio 0\.\d+ of \d+ requests, at most 0\.05 allowed/)
  })

  it('waits for what it depends on, and says so', async () => {
    const { world } = await running({ name: 'db', image: 'slow:1' }, 1)
    const dependsOn = [{ service: 'db', condition: 'healthy' as const }]
    await world.services.create(wishFor({ name: 'late', image: 'slow:1' }))
    await world.services.create(wishFor({ name: 'web', dependsOn: [{ service: 'late', condition: 'healthy' }] }))
    await world.services.create(wishFor({ name: 'api', dependsOn }))
    await world.pass(1500)
    assert.equal((await world.services.get('shop_web')).waits[0]?.reason, 'waits for service late to be healthy')
    assert.equal((await world.services.get('shop_api')).readyTasks, 1)
    await world.pass(5000)
    assert.equal((await world.services.get('shop_web')).readyTasks, 1)
  })

  it('moves away from a node that is drained, and none of it is missed', async () => {
    const { world, sight, pass } = await running({ name: 'web', replicas: 4 })
    await world.services.updateNode('node1', { availability: 'drain' })
    await pass(20_000)
    assert.equal((await sight()).readyTasks, 4)
    assert.deepEqual(await world.services.tasks({ node: 'node1', isEnded: false }), [])
  })

  it('comes to other nodes when its own is lost', async () => {
    const { world, sight, pass } = await running({ name: 'web', replicas: 2 })
    world.cut('node1', 120_000)
    await pass(60_000)
    assert.equal((await sight()).readyTasks, 2)
    assert.equal((await world.services.node('node1')).record.status.state, 'down')
  })

  it('goes with all that was its own', async () => {
    const { world, id, pass } = await running({ name: 'web', replicas: 2 })
    await world.services.remove(id)
    await pass(3000)
    await assert.rejects(world.services.get(id), { code: 'service.not_found' })
    for (const machine of world.machines.values()) assert.equal(machine.containers.size, 0)
  })
})

describe('somebody who changes services', () => {
  it('is told when another was faster, when a name is taken and when there is nothing to go back to', async () => {
    const { world, id, update, sight } = await running({ name: 'web' })
    const { version } = await sight()
    await update({ image: 'good:2' })
    await assert.rejects(world.services.update(id, wishFor({ name: 'web', image: 'good:3' }), version), {
      code: 'service.changed',
    })
    await assert.rejects(world.services.create(wishFor({ name: 'web' })), { code: 'service.name_in_use' })
    await world.services.create(wishFor({ name: 'new' }))
    await assert.rejects(world.services.rollback('shop_new', 'ann'), { code: 'service.not_possible' })
    await assert.rejects(world.services.promote('shop_new'), { code: 'service.not_possible' })
    await assert.rejects(world.services.scale('shop_new', 1_000_000), { code: 'service.too_many_tasks' })
  })

  it('changes nothing by asking for the same again', async () => {
    const { update, sight } = await running({ name: 'web' })
    assert.equal((await update({})).isChanged, false)
    assert.equal((await sight()).record.revision, 1)
  })
})
