import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { nextTime, parseCron, timeZone } from './index.ts'

const MINUTE_MS = 60_000

/** Random schedules for the comparison with the oracle: `GLOVEBOX_CRON_CASES=5000` is the long form. */
const CASES = Number(process.env['GLOVEBOX_CRON_CASES'] ?? 25)

const NEXT: readonly (readonly [cron: string, zone: string, after: string, next: string])[] = [
  ['*/15 * * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:15:00Z'],
  ['30 4 * * mon-fri', 'UTC', '2026-01-02T04:30:00Z', '2026-01-05T04:30:00Z'],
  ['0 0 13 * fri', 'UTC', '2026-03-01T00:00:00Z', '2026-03-06T00:00:00Z'],
  ['0 0 */13 * fri', 'UTC', '2026-03-02T00:00:00Z', '2026-03-27T00:00:00Z'],
  ['0 12 29 feb *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T12:00:00Z'],
  ['0 12 29 feb */7', 'UTC', '2026-01-01T00:00:00Z', '2032-02-29T12:00:00Z'],
  ['@hourly', 'Asia/Kathmandu', '2026-01-01T00:00:00Z', '2026-01-01T00:15:00Z'],
  ['@weekly', 'Europe/Berlin', '2026-01-01T00:00:00Z', '2026-01-03T23:00:00Z'],
  // Berlin skips 02:00 to 03:00 on 29 March 2026, and has it twice on 25 October.
  ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00Z'],
  ['30 2 * * *', 'Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z'],
  ['30 * * * *', 'Europe/Berlin', '2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z'],
  ['*/30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T00:00:00Z'],
  ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', '2026-10-25T00:30:00Z'],
  ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
  ['30 * * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
  // Samoa had no 30 December 2011.
  ['0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00:00Z', '2011-12-30T10:00:00Z'],
  // Santiago skips midnight itself.
  ['0 0 * * *', 'America/Santiago', '2026-09-05T12:00:00Z', '2026-09-06T04:00:00Z'],
]

for (const [cron, zone, after, next] of NEXT)
  test(`after ${after} "${cron}" in ${zone} comes at ${next}`, () => {
    assert.equal(
      new Date(nextTime(parseCron(cron), timeZone(zone), Date.parse(after)) ?? 0).toISOString(),
      next.replace('Z', '.000Z'),
    )
  })

const WRONG: readonly (readonly [cron: string, says: RegExp])[] = [
  ['', /has 0 fields instead of 5/],
  ['* * * *', /has 4 fields instead of 5/],
  ['60 * * * *', /minute: 60 is not between 0 and 59/],
  ['* 24 * * *', /hour: 24 is not between 0 and 23/],
  ['* * 0 * *', /day of month: 0 is not between 1 and 31/],
  ['* * * foo *', /month: "foo" is not a number or a name/],
  ['* * * * 8', /day of week: 8 is not between 0 and 7/],
  ['*/0 * * * *', /minute: "0" in \*\/0 is no step/],
  ['5/10 * * * *', /minute: 5\/10: a step needs a range/],
  ['30-10 * * * *', /minute: 30-10 goes backwards/],
  ['1,,2 * * * *', /minute: a value is missing/],
  ['1-2-3 * * * *', /minute: "1-2-3" is no range/],
  ['-1 * * * *', /minute: "" is not a number/],
  ['0 0 31 2,4 *', /no month in 2,4 has a day 31/],
  ['@reboot', /@reboot is not known/],
]

for (const [cron, says] of WRONG)
  test(`"${cron}" is refused with ${says.source}`, () => {
    assert.throws(
      () => parseCron(cron),
      (error) => error instanceof GloveboxError && error.code === 'cron.invalid' && says.test(error.message),
    )
  })

test('a time zone that is not known is refused by name', () => {
  assert.throws(() => timeZone('Europe/Bielefeld'), /there is no time zone "Europe\/Bielefeld"/)
})

test('whatever text is given is read or refused as invalid', () => {
  const piece = fc.constantFrom('*', '1', '59', '/', '-', ',', ' ', 'mon', 'jan', '@daily', '7', '0', '\t', 'x')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          parseCron(text)
        } catch (error) {
          assert.ok(error instanceof GloveboxError && error.kind === 'invalid', String(error))
        }
      },
    ),
    { numRuns: 500 },
  )
})

/** Where clocks change, with a day around it. */
const CHANGES: readonly (readonly [zone: string, at: string])[] = [
  ['Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['America/New_York', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['America/Santiago', '2026-09-06T04:00:00Z'],
  ['America/Havana', '2026-11-01T05:00:00Z'],
  ['Africa/Casablanca', '2026-03-22T02:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['Asia/Kolkata', '2026-06-01T00:00:00Z'],
  ['UTC', '2028-02-29T00:00:00Z'],
]

function field(least: number, most: number): fc.Arbitrary<string> {
  const number = fc.integer({ min: least, max: most })
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    { weight: 1, arbitrary: fc.integer({ min: 2, max: Math.min(most, 20) }).map((step) => `*/${step}`) },
    { weight: 2, arbitrary: fc.array(number, { minLength: 1, maxLength: 4 }).map((numbers) => numbers.join(',')) },
    { weight: 1, arbitrary: fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`) },
  )
}

test('around changes of clocks the next times are those that a look at every minute finds', () => {
  const cron = fc.tuple(
    field(0, 59),
    field(0, 23),
    fc.constantFrom('*', '*', '25-31', '1,8,29'),
    fc.constant('*'),
    fc.constantFrom('*', '*', '0', '5-7'),
  )
  fc.assert(
    fc.property(cron, fc.constantFrom(...CHANGES), fc.integer({ min: -30 * 60, max: -60 }), (fields, [zone, at], minutes) => {
      const text = fields.join(' ')
      const from = Date.parse(at) + minutes * MINUTE_MS
      const to = from + 54 * 60 * MINUTE_MS
      assert.deepEqual(found(text, zone, from, to), everyMinute(text, zone, from, to), `${text} in ${zone}`)
    }),
    { numRuns: CASES },
  )
})

function found(text: string, zone: string, from: number, to: number): readonly string[] {
  const times: string[] = []
  const [cron, place] = [parseCron(text), timeZone(zone)]
  for (let at = nextTime(cron, place, from); at !== null && at <= to; at = nextTime(cron, place, at))
    times.push(new Date(at).toISOString())
  return times
}

/** The rule once more, as plainly as can be: looks at the clock on the wall at every minute, from two days before. */
function everyMinute(text: string, zone: string, from: number, to: number): readonly string[] {
  const [minute, hour, day, , weekday] = text.split(' ').map((part) => part)
  const isRepeating = minute!.startsWith('*') || hour!.startsWith('*')
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' })
  const wallOf = (at: number) => Date.parse(`${format.format(at).replace(' ', 'T')}:00Z`)
  const holds = (part: string, value: number, least: number): boolean =>
    part.split(',').some((one) => {
      if (one === '*') return true
      if (one.startsWith('*/')) return (value - least) % Number(one.slice(2)) === 0
      const [a, b = a] = one.split('-').map(Number)
      return value >= a! && value <= b!
    })
  const matches = (wall: number): boolean => {
    const date = new Date(wall)
    const isOfWeek = holds(weekday!, date.getUTCDay(), 0) || (date.getUTCDay() === 0 && holds(weekday!, 7, 0))
    const isOfMonth = holds(day!, date.getUTCDate(), 1)
    const isEither = !day!.startsWith('*') && !weekday!.startsWith('*')
    if (!holds(minute!, date.getUTCMinutes(), 0) || !holds(hour!, date.getUTCHours(), 0)) return false
    return isEither ? isOfWeek || isOfMonth : isOfWeek && isOfMonth
  }
  const times: string[] = []
  const start = Math.floor(from / MINUTE_MS) * MINUTE_MS - 48 * 60 * MINUTE_MS
  let latest = wallOf(start - MINUTE_MS)
  for (let at = start; at <= to; at += MINUTE_MS) {
    const wall = wallOf(at)
    let isDue = false
    if (isRepeating) isDue = matches(wall)
    // New minutes of the clock: one, none (set back), or all that it jumped over.
    else for (let shown = latest + MINUTE_MS; shown <= wall; shown += MINUTE_MS) isDue ||= matches(shown)
    latest = Math.max(latest, wall)
    if (isDue && at > from) times.push(new Date(at).toISOString())
  }
  return times
}
