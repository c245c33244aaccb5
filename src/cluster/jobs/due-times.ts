import { nextTime, type Cron, type TimeZone } from '#cluster/jobs/cron'

/** Times of a schedule in a stretch of time. */
export interface DueTimes {
  /** The latest; null: there is none. */
  readonly lastMs: number | null
  /** With the latest. At most `MAX_COUNTED`. */
  readonly count: number
}

/** A daemon that was away for a year is not told of each minute. */
const MAX_COUNTED = 1000
const HOUR_MS = 3_600_000

/** After `afterMs` and until `untilMs`. */
export function dueTimes(cron: Cron, zone: TimeZone, afterMs: number, untilMs: number): DueTimes {
  let [count, lastMs] = [0, null as number | null]
  let at = nextTime(cron, zone, afterMs)
  for (; at !== null && at <= untilMs && count < MAX_COUNTED; at = nextTime(cron, zone, at)) {
    lastMs = at
    count += 1
  }
  return { lastMs: at !== null && at <= untilMs ? latest(cron, zone, at, untilMs) : lastMs, count }
}

/** Looks from ever further back. */
function latest(cron: Cron, zone: TimeZone, oneMs: number, untilMs: number): number {
  for (let backMs = HOUR_MS; untilMs - backMs > oneMs; backMs *= 4) {
    let last: number | null = null
    for (let at = nextTime(cron, zone, untilMs - backMs); at !== null && at <= untilMs; at = nextTime(cron, zone, at)) last = at
    if (last !== null) return last
  }
  let last = oneMs
  for (let at = nextTime(cron, zone, oneMs); at !== null && at <= untilMs; at = nextTime(cron, zone, at)) last = at
  return last
}
