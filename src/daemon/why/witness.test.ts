import assert from 'node:assert/strict'
import { test } from 'node:test'

import { virtualClock } from '#base'
import { createEvents } from '#engine/events'
import { registryError, type Registries } from '#engine/registry'

import { openFailedPulls } from './failed-pulls.ts'
import { openMemoryHistory } from './memory-history.ts'
import { openSlowEnds } from './slow-ends.ts'
import { openUnknownNames } from './unknown-names.ts'

function rig() {
  const clock = virtualClock()
  const events = createEvents(clock)
  const tell = (action: string, attributes: Readonly<Record<string, string>> = {}, actorId = 'c1') =>
    events.publish({ type: 'container', action, actorId, attributes: { name: 'web', ...attributes } })
  return { clock, events, tell }
}

test('only a stop that took SIGKILL is a slow end', async () => {
  const { clock, events, tell } = rig()
  using ends = openSlowEnds(events)
  tell('kill', { signal: '15' })
  tell('die', { exitCode: '0' })
  tell('stop')
  assert.deepEqual(ends.list(), [])
  tell('start')
  tell('kill', { signal: '9' })
  tell('die', { exitCode: '137' })
  assert.deepEqual(ends.list(), [])
  tell('start')
  tell('kill', { signal: '15' })
  await clock.advance(10_000)
  tell('kill', { signal: '9' })
  tell('die', { exitCode: '137' })
  tell('stop')
  assert.deepEqual(
    ends.list().map(({ containerId, graceMs, signal }) => [containerId, graceMs, signal]),
    [['c1', 10_000, 15]],
  )
})

test('of slow ends the youngest are kept', () => {
  const { events, tell } = rig()
  using ends = openSlowEnds(events)
  for (let n = 0; n < 100; n += 1) {
    tell('kill', { signal: '15' }, `c${n}`)
    tell('kill', { signal: '9' }, `c${n}`)
    tell('die', {}, `c${n}`)
    tell('stop', {}, `c${n}`)
  }
  assert.equal(ends.list().length, 64)
  assert.equal(ends.list().at(-1)?.containerId, 'c99')
})

test('the memory of a container is looked at often at first and seldom later, is bounded, and ends with its peak', async () => {
  const { clock, events, tell } = rig()
  let memoryBytes = 1000
  let looks = 0
  let isRunning = true
  const startedAtMs = clock.nowMs()
  using history = openMemoryHistory({
    events,
    clock,
    limited: () => (isRunning ? [{ id: 'c1', startedAtMs }] : []),
    sample: () => {
      looks += 1
      return { memoryBytes, memoryInactiveFileBytes: 100, memoryPeakBytes: memoryBytes + 7, oomKills: isRunning ? 0 : 1 }
    },
  })
  tell('start')
  await clock.advance(1000)
  const atFirst = looks
  assert.ok(atFirst >= 4, `${atFirst} looks in the first second`)
  await clock.advance(600_000)
  const perMinute = looks / 10
  assert.ok(perMinute < 10, `${perMinute} looks a minute`)
  await clock.advance(3_600_000)
  assert.ok((history.of('c1')?.samples.length ?? 0) <= 64)
  assert.equal(history.of('c1')?.samples[0]?.bytes, 900)
  memoryBytes = 5000
  isRunning = false
  tell('oom')
  const past = history.of('c1')
  assert.deepEqual([past?.samples.at(-1)?.bytes, past?.peakBytes, past?.kills], [5007, 5007, 1])
  tell('destroy')
  assert.equal(history.of('c1'), undefined)
})

test('a pull that fails is noted by its image, and forgotten when it succeeds', async () => {
  const clock = virtualClock()
  const pulls = openFailedPulls(clock)
  let isThere = false
  const registries = pulls.noting({
    async *pull() {
      yield { type: 'status', text: 'looking' } as const
      if (!isThere) throw registryError('registry.manifest_unknown', 'no such manifest')
    },
  } as unknown as Registries)
  const pull = async () => {
    const wish = { ref: 'web', platform: null, credentials: null, signal: new AbortController().signal }
    for await (const _ of registries.pull(wish));
  }
  await assert.rejects(pull, { code: 'registry.manifest_unknown' })
  assert.deepEqual(
    pulls.list().map(({ image, code, message }) => [image, code, message]),
    [['web:latest', 'registry.manifest_unknown', 'no such manifest']],
  )
  isThere = true
  await pull()
  assert.deepEqual(pulls.list(), [])
})

test('names that were asked for in vain are counted, and the youngest kept', () => {
  const names = openUnknownNames(virtualClock())
  for (let n = 0; n < 300; n += 1) names.note('c1', `n${n}`, 'unknown', [])
  names.note('c1', 'n299', 'silent', ['net'])
  assert.equal(names.list().length, 256)
  const last = names.list().at(-1)
  assert.deepEqual([last?.name, last?.times, last?.kind, last?.networkIds], ['n299', 2, 'silent', ['net']])
})
