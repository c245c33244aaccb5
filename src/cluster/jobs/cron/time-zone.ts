import { jobError } from './errors.ts'

/**
 * The clock on the wall of one place. A wall time is a number as well: the milliseconds that would have passed since 1970 if that clock had always run evenly.
 */
export interface TimeZone {
  wallOf(instantMs: number): number
  /** The instants at which the clock shows this time, the first one first: none when it is skipped, two when it comes twice. */
  instantsOf(wallMs: number): readonly number[]
  /** The first instant at which the clock shows this time or a later one. */
  reach(wallMs: number): number
}

const MINUTE_MS = 60_000
/** No change of a clock, and no zone, is further than this from the hour that it would be: Samoa once left out a whole day. */
const FAR_MS = 36 * 60 * MINUTE_MS

/** Minutes are exact; clocks that were not on whole minutes (before 1972) are not for jobs. Errors: `cron.time_zone_unknown`. */
export function timeZone(name: string): TimeZone {
  const format = formatOf(name)
  const wallOf = (instantMs: number): number => {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(instantMs)) parts[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute) + (((instantMs % MINUTE_MS) + MINUTE_MS) % MINUTE_MS)
  }
  const instantsOf = (wallMs: number): readonly number[] => {
    const offsets = [wallMs - FAR_MS, wallMs + FAR_MS].map((near) => wallOf(near) - near)
    const instants = offsets.map((offset) => wallMs - offset).filter((instant) => wallOf(instant) === wallMs)
    return [...new Set(instants)].toSorted((a, b) => a - b)
  }
  return {
    wallOf,
    instantsOf,
    reach: (wallMs) => {
      const [first] = instantsOf(wallMs)
      if (first !== undefined) return first
      // The clock jumps over it: somewhere between these two.
      let [before, after] = [wallMs - FAR_MS, wallMs + FAR_MS]
      while (after - before > MINUTE_MS) {
        const middle = before + Math.floor((after - before) / 2 / MINUTE_MS) * MINUTE_MS
        if (wallOf(middle) >= wallMs) after = middle
        else before = middle
      }
      return after
    },
  }
}

function formatOf(name: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
  } catch (error) {
    throw jobError('cron.time_zone_unknown', `there is no time zone ${JSON.stringify(name)}`, {
      cause: error,
      hint: 'Write a name such as Europe/Berlin or UTC.',
    })
  }
}
