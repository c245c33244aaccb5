import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { seededRandom, silentLog, virtualClock } from '#base'
import { ITSELF, type HistoryEvent, type HistoryRecord, type RolloutRecord } from '#cluster/model'
import { memoryStore } from '#cluster/store'

import { KEPT_IN_ALL, KEPT_MS, KEPT_OF_SERVICE, KEPT_RESTARTS } from './bounds.ts'
import { startHistoryKeeping } from './keeping-loop.ts'
import { planKeeping, type Kept } from './keeping-plan.ts'
import { openHistory } from './open-history.ts'
import { historyPuts } from './records.ts'
import { isTelling, rolloutEvents } from './rollout-events.ts'

const RESTART: HistoryEvent = { type: 'task-restarted', place: 'slot 1', failures: 1, reason: 'ended with exit code 1' }
const SCALED: HistoryEvent = { type: 'scaled', fromReplicas: 1, replicas: 2 }

const some: fc.Arbitrary<Kept> = fc.record({
  key: fc.uuid(),
  service: fc.constantFrom('web', 'db'),
  atMs: fc.integer({ min: 0, max: 2 * KEPT_MS }),
  isRestart: fc.boolean(),
})

describe('what is kept of the history', () => {
  it('is the youngest of each service, none too old, and not only restarts', () => {
    fc.assert(
      fc.property(fc.uniqueArray(some, { maxLength: 600, minLength: 300, selector: ({ key }) => key }), (all) => {
        const nowMs = 2 * KEPT_MS
        const going = new Set(planKeeping(all, nowMs))
        for (const service of ['web', 'db']) {
          const ofService = all.filter((one) => one.service === service)
          const staying = ofService.filter(({ key }) => !going.has(key))
          assert.ok(staying.length <= KEPT_OF_SERVICE && staying.every(({ atMs }) => atMs >= nowMs - KEPT_MS))
          assert.ok(staying.filter(({ isRestart }) => isRestart).length <= KEPT_RESTARTS)
          const oldest = Math.min(...staying.filter(({ isRestart }) => !isRestart).map(({ atMs }) => atMs))
          for (const { key, atMs, isRestart } of ofService)
            if (!isRestart && going.has(key)) assert.ok(atMs <= oldest || atMs < nowMs - KEPT_MS)
        }
        assert.deepEqual(
          planKeeping(
            all.filter(({ key }) => !going.has(key)),
            nowMs,
          ),
          [],
        )
      }),
      { numRuns: 30 },
    )
  })

  it('is not more in all than there may be', () => {
    const all = Array.from({ length: KEPT_IN_ALL + 1 }, (_, at) => ({
      key: `${at}`,
      service: `s${at % 500}`,
      atMs: at,
      isRestart: false,
    }))
    const going = planKeeping(all, 0)
    assert.ok(all.length - going.length <= KEPT_IN_ALL && going.includes('0') && !going.includes(String(KEPT_IN_ALL)))
  })
})

describe('the history', () => {
  it('is told the youngest first, and shrinks by itself', async () => {
    const clock = virtualClock(0)
    await using store = memoryStore(clock)
    const random = seededRandom(1)
    await using _keeping = startHistoryKeeping({ store, clock, log: silentLog() })
    const service = { id: 'x', name: 'shop_web', stack: 'shop' }
    for (let at = 0; at < KEPT_OF_SERVICE + 5; at += 1)
      await store.write({ puts: historyPuts({ service, actor: { by: 'ann', from: 'cli' }, atMs: at, random }, [SCALED]) })
    await store.write({
      puts: historyPuts({ service: { id: 'y', name: 'shop_db', stack: 'shop' }, actor: ITSELF, atMs: 9, random }, [RESTART]),
    })
    for (let turn = 0; turn < 50; turn += 1) await clock.advance(10)
    const history = openHistory(store)
    const web = await history.list({ services: ['shop_web'], limit: 1000 })
    assert.equal(web.length, KEPT_OF_SERVICE)
    assert.deepEqual([web[0]?.atMs, web[0]?.by, web.at(-1)?.atMs], [KEPT_OF_SERVICE + 4, 'ann', 5])
    assert.equal((await history.list({ limit: 3 })).length, 3)
    const older = await history.list({ services: ['shop_web'], before: web[0]?.id ?? '', limit: 1 })
    assert.equal(older[0]?.id, web[1]?.id)
  })

  it('gives every record a key of its own, in order of time', () => {
    const random = seededRandom(7)
    const puts = [1, 1, 2].flatMap((atMs) =>
      historyPuts({ service: { id: 'x', name: 'web', stack: null }, actor: ITSELF, atMs, random }, [SCALED, RESTART]),
    )
    assert.equal(new Set(puts.map(({ key }) => key)).size, puts.length)
    const times = puts.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ value }: { value: HistoryRecord }) => value.atMs)
    assert.deepEqual(times, [1, 1, 1, 1, 2, 2])
  })
})

describe('what a rollout tells', () => {
  const running: RolloutRecord = {
    from: 1,
    to: 2,
    state: 'running',
    startedAtMs: 100,
    endedAtMs: null,
    reason: '',
    step: 0,
    stepStartedAtMs: 100,
    weightPercent: null,
    failedTasks: [],
    isPromoted: false,
    judgements: [],
  }

  it('is its end once, with how long it took', () => {
    const over: RolloutRecord = { ...running, state: 'completed', endedAtMs: 5100, reason: 'every task is of revision 2' }
    assert.deepEqual(rolloutEvents(running, over), [
      { type: 'rollout-ended', fromRevision: 1, revision: 2, outcome: 'completed', tookMs: 5000, reason: over.reason },
    ])
    assert.deepEqual(rolloutEvents(over, over), [])
  })

  it('is each step, and that failures halted it or turned it back', () => {
    assert.equal(rolloutEvents(running, { ...running, weightPercent: 10 })[0]?.type, 'rollout-step')
    assert.equal(rolloutEvents(running, { ...running, state: 'paused', reason: 'x' })[0]?.type, 'rollout-halted')
    const back: RolloutRecord = { ...running, from: 2, to: 1, state: 'rolling-back', startedAtMs: 200 }
    assert.deepEqual(rolloutEvents(running, back), [{ type: 'rollout-turned', revision: 2, reason: '' }])
    assert.deepEqual(rolloutEvents(running, { ...running, failedTasks: ['t'] }), [])
  })

  it('is not every restart of a task that crashes again and again', () => {
    const told = Array.from({ length: 1000 }, (_, at) => at + 1).filter(isTelling)
    assert.deepEqual(told, [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000])
  })
})
