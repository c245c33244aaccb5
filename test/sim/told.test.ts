import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { openHistory } from '#cluster/history'
import type { HistoryEvent } from '#cluster/model'

import { wishFor } from './specs.ts'
import { openWorld } from './world.ts'

const CHANGES = 6

/** What happened to a service that is changed again and again while the loop dies at random. */
async function told(seed: number): Promise<readonly HistoryEvent[]> {
  const world = openWorld(seed, 2)
  const choice = { name: 'web', replicas: 2, update: { monitorMs: 500, failureAction: 'rollback' } } as const
  const { services, random } = world
  await world.pass(1000)
  const as = services.as({ by: 'ann', from: 'cli' })
  const { record } = await as.create(wishFor(choice))
  await world.pass(8000)
  for (let change = 0; change < CHANGES; change += 1) {
    await as.update(record.id, wishFor({ ...choice, image: change % 3 === 2 ? 'bad:1' : `good:${change + 2}` }))
    for (let times = 0; times < 4; times += 1) {
      await world.pass(random.integer(1500))
      world.kill('services')
    }
    await world.pass(60_000)
  }
  assert.deepEqual(world.broken, [])
  const history = await openHistory(world.store).list({ services: ['shop_web'], limit: 1000 })
  assert.ok(
    history.every(({ by, event }) => (event.type === 'changed' || event.type === 'created' ? by === 'ann' : by === 'glovebox')),
  )
  return history.toReversed().map(({ event }) => event)
}

describe('what stands in the history', () => {
  it('is each change, and of each rollout the outcome exactly once, whenever the loop dies', async () => {
    for (const seed of [1, 2, 3]) {
      const events = await told(seed)
      const of = (type: HistoryEvent['type']) => events.filter((event) => event.type === type)
      assert.equal(of('created').length, 1)
      assert.equal(of('changed').length, CHANGES, `seed ${seed}`)
      assert.equal(of('rollout-turned').length, CHANGES / 3, `seed ${seed}`)
      const ends = of('rollout-ended').map((event) => (event.type === 'rollout-ended' ? event.outcome : ''))
      assert.deepEqual(ends, ['completed', 'completed', 'rolled-back', 'completed', 'completed', 'rolled-back'], `seed ${seed}`)
    }
  })
})
