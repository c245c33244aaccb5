import type { Cron } from './cron.ts'
import type { TimeZone } from './time-zone.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Changes of clocks are on such minutes. */
const QUARTER_MS = 15 * MINUTE_MS
/** 29 February on a certain day of the week comes within 40 years, over a century without a leap year too. */
const MAX_DAYS = 41 * 366

/**
 * The first time after `afterMs`, in milliseconds since 1970; null: there is none within 40 years. Where clocks change it is as in Debian's cron: a schedule that repeats
 * (`*` in front of minute or hour) follows the clock on the wall: what is skipped does not run, what comes twice runs twice. Certain times of a day run once on each
 * day: at the first moment after the gap when they are skipped, and the first time when they come twice.
 */
export function nextTime(cron: Cron, zone: TimeZone, afterMs: number): number | null {
  return cron.isRepeating ? nextOfClock(cron, zone, afterMs) : nextOfDay(cron, zone, afterMs)
}

/** Goes from instant to instant, in steps that cannot leap over a match. */
function nextOfClock(cron: Cron, zone: TimeZone, afterMs: number): number | null {
  let at = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS
  const end = at + MAX_DAYS * DAY_MS
  while (at < end) {
    const wall = zone.wallOf(at)
    if (!isDay(cron, wall)) {
      const day = nextDay(cron, floor(wall, DAY_MS) + DAY_MS)
      if (day === null) return null
      // A clock that is set back over midnight shows the old day again.
      at = Math.max(at + MINUTE_MS, zone.reach(day))
    } else if (!cron.hours.has(hourOf(wall))) at += QUARTER_MS - (wall % QUARTER_MS)
    else if (!cron.minutes.has(minuteOf(wall))) at += MINUTE_MS
    else return at
  }
  return null
}

/** Goes from wall time to wall time: each has one instant. */
function nextOfDay(cron: Cron, zone: TimeZone, afterMs: number): number | null {
  const hours = [...cron.hours].toSorted(ascending)
  const minutes = [...cron.minutes].toSorted(ascending)
  // A day back: what was skipped at its end may come after it.
  let day = nextDay(cron, floor(zone.wallOf(afterMs), DAY_MS) - DAY_MS)
  const end = afterMs + MAX_DAYS * DAY_MS
  const isOver = (wallMs: number) => zone.reach(wallMs) <= afterMs
  const [lastHour = 0, lastMinute = 0] = [hours.at(-1), minutes.at(-1)]
  for (; day !== null && day < end; day = nextDay(cron, day + DAY_MS)) {
    // Later on the wall is never earlier in truth: whole days and hours can be left out.
    if (isOver(day + lastHour * HOUR_MS + lastMinute * MINUTE_MS)) continue
    for (const hour of hours) {
      const start = day + hour * HOUR_MS
      if (isOver(start + lastMinute * MINUTE_MS)) continue
      for (const minute of minutes) {
        const at = zone.reach(start + minute * MINUTE_MS)
        if (at > afterMs) return at
      }
    }
  }
  return null
}

/** Midnight of the first matching day from here on, on the wall. */
function nextDay(cron: Cron, fromWallMs: number): number | null {
  for (let index = 0; index < MAX_DAYS; index += 1) {
    const day = fromWallMs + index * DAY_MS
    if (isDay(cron, day)) return day
  }
  return null
}

function isDay(cron: Cron, wallMs: number): boolean {
  const date = new Date(wallMs)
  if (!cron.months.has(date.getUTCMonth() + 1)) return false
  const isOfMonth = cron.days.has(date.getUTCDate())
  const isOfWeek = cron.weekdays.has(date.getUTCDay())
  return cron.isEitherDay ? isOfMonth || isOfWeek : isOfMonth && isOfWeek
}

function floor(ms: number, to: number): number {
  return Math.floor(ms / to) * to
}

function hourOf(wallMs: number): number {
  return new Date(wallMs).getUTCHours()
}

function minuteOf(wallMs: number): number {
  return new Date(wallMs).getUTCMinutes()
}

function ascending(a: number, b: number): number {
  return a - b
}
