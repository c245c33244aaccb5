import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { JobView, RunView } from '#api/glovebox'

import { zonedTime } from '../output/zoned-time.ts'
import { exitCodeOf } from './run.ts'
import { nextText, outcomeText, scheduleText, whyText } from './texts.ts'

const NOW = Date.parse('2026-03-28T12:00:00Z')
const HOUR_MS = 3_600_000
const SCHEDULE = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' }

const job = (more: Partial<Record<keyof JobView, unknown>> = {}) =>
  ({
    job: { schedule: SCHEDULE },
    state: 'active',
    suspendedBy: null,
    nextAtMs: NOW + 5 * HOUR_MS,
    note: '',
    last: null,
    ...more,
  }) as unknown as JobView
const run = (more: Partial<RunView>) =>
  ({ state: 'succeeded', createdAtMs: NOW - HOUR_MS, endedAtMs: NOW - HOUR_MS, exitCode: 0, ...more }) as RunView

test('the next time is told on the clock of its own zone, through a change of that clock', () => {
  assert.equal(nextText(job(), NOW), '2026-03-28 18:00 Europe/Berlin (in 5 hours)')
  assert.equal(zonedTime(Date.parse('2026-03-29T01:00:00Z'), 'Europe/Berlin'), '2026-03-29 03:00 Europe/Berlin')
  assert.equal(zonedTime(NOW, 'Nowhere/At_All'), '2026-03-28 12:00 UTC')
})

test('what keeps a job from running is told in its place', () => {
  assert.equal(nextText(job({ state: 'suspended', suspendedBy: 'hand', nextAtMs: null }), NOW), 'suspended by hand')
  assert.equal(nextText(job({ state: 'suspended', suspendedBy: 'description', nextAtMs: null }), NOW), 'suspended')
  assert.equal(nextText(job({ state: 'paused', nextAtMs: null }), NOW), 'paused')
  assert.equal(nextText(job({ job: { schedule: null }, nextAtMs: null }), NOW), '')
  assert.equal(scheduleText(job({ job: { schedule: null } })), 'once')
  const broken = job({ nextAtMs: null, note: 'a crontab expression has 4 fields instead of 5' })
  assert.deepEqual([nextText(broken, NOW), whyText(broken)], ['never', broken.note])
})

test('the last outcome says how it ended and when, and why where that is needed', () => {
  assert.equal(outcomeText(null, NOW), 'never ran')
  assert.equal(outcomeText(run({ state: 'running', endedAtMs: null }), NOW), 'running since 60 minutes')
  assert.equal(outcomeText(run({}), NOW), 'succeeded 60 minutes ago')
  const failed = run({ state: 'failed', exitCode: 2, reason: 'slot 1 failed once: exit code 2' })
  assert.equal(outcomeText(failed, NOW), 'failed with 2, 60 minutes ago')
  assert.equal(whyText(job({ last: failed })), 'slot 1 failed once: exit code 2')
})

test('the exit code of a run is 0 exactly when it succeeded', () => {
  assert.deepEqual(
    [
      run({}),
      run({ state: 'failed', exitCode: 3 }),
      run({ state: 'failed', exitCode: null }),
      run({ state: 'cancelled', exitCode: null }),
      undefined,
    ].map(exitCodeOf),
    [0, 3, 1, 1, 1],
  )
})
