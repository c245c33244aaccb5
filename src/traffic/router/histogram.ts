import type { BackendMetrics, Histogram, MetricCounts } from './port.ts'

/** Upper bounds of the buckets, in milliseconds. Steps of some 25 to 40 percent: what a percentile is off by at most. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  ...[1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 126, 160, 200, 250, 320, 400, 500, 630, 800],
  ...[1000, 1300, 1600, 2000, 2500, 3200, 4000, 5000, 6300, 8000, 10_000, 15_000, 20_000, 30_000, 60_000],
]

export const NO_LATENCY: Histogram = { counts: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0), samples: 0 }

export const NO_COUNTS: MetricCounts = {
  requests: 0,
  responses2xx: 0,
  responses3xx: 0,
  responses4xx: 0,
  responses5xx: 0,
  otherResponses: 0,
  failures: 0,
  redispatches: 0,
  bytesIn: 0,
  bytesOut: 0,
}

/** Bucket of a time that HAProxy cut to whole milliseconds: 0 is anything below 1. */
export function bucketOf(ms: number): number {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => ms < bound)
  return index === -1 ? LATENCY_BOUNDS_MS.length : index
}

/**
 * Milliseconds that so many (from 0 to 1) of the requests did not exceed, evenly spread within a bucket; null: there were none. Of times above the last bound it is
 * that bound: at least so long.
 */
export function percentile({ counts }: Histogram, ratio: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let left = ratio * total
  for (const [index, count] of counts.entries()) {
    const low = LATENCY_BOUNDS_MS[index - 1] ?? 0
    const high = LATENCY_BOUNDS_MS[index] ?? low
    if (count > 0 && left <= count) return low + (high - low) * (left / count)
    left -= count
  }
  return LATENCY_BOUNDS_MS.at(-1) ?? null
}

export function addCounts(a: MetricCounts, b: MetricCounts, sign: 1 | -1 = 1): MetricCounts {
  const keys = Object.keys(NO_COUNTS) as (keyof MetricCounts)[]
  return Object.fromEntries(keys.map((key) => [key, a[key] + sign * b[key]])) as unknown as MetricCounts
}

function addHistograms(a: Histogram, b: Histogram, sign: 1 | -1 = 1): Histogram {
  return { counts: a.counts.map((count, index) => count + sign * (b.counts[index] ?? 0)), samples: a.samples + sign * b.samples }
}

/** One revision of a route, over all of its backends. */
export interface GroupMetrics {
  readonly routeId: string
  readonly group: string
  readonly counts: MetricCounts
  readonly latency: Histogram
}

/** What happened between two readings, by route and group. A backend that was not there before began with nothing. Pure. */
export function metricsBetween(before: readonly BackendMetrics[], after: readonly BackendMetrics[]): readonly GroupMetrics[] {
  const keyOf = ({ routeId, backendId, group }: BackendMetrics) => JSON.stringify([routeId, backendId, group])
  const old = new Map(before.map((metrics) => [keyOf(metrics), metrics]))
  const sums = new Map<string, GroupMetrics>()
  for (const metrics of after) {
    const { routeId, group } = metrics
    const past = old.get(keyOf(metrics))
    const counts = addCounts(metrics.counts, past?.counts ?? NO_COUNTS, -1)
    const latency = addHistograms(metrics.latency, past?.latency ?? NO_LATENCY, -1)
    const key = JSON.stringify([routeId, group])
    const sum = sums.get(key)
    sums.set(key, {
      routeId,
      group,
      counts: sum === undefined ? counts : addCounts(sum.counts, counts),
      latency: sum === undefined ? latency : addHistograms(sum.latency, latency),
    })
  }
  return [...sums.values()]
}
