import type { RangeFunction } from './port.ts'

/** Samples of one series, the oldest first. */
export interface Samples {
  readonly timesMs: readonly number[]
  readonly values: readonly number[]
  /** The highest around each; the value itself where nothing else is known. */
  readonly maxima: readonly number[]
  /** The time that each stands for: one of ten minutes counts more in an average than one of ten seconds. */
  readonly spansMs: readonly number[]
}

export interface Steps {
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
  /** A value this old still counts at a step. */
  readonly lookbackMs: number
}

export function stepCount({ fromMs, toMs, stepMs }: Pick<Steps, 'fromMs' | 'toMs' | 'stepMs'>): number {
  return Math.floor((toMs - fromMs) / stepMs) + 1
}

/** One value for each step: of what was in the time that ends there and is as long as the step, or the lookback where that is longer. Pure. */
export function evaluate(samples: Samples, steps: Steps, fn: RangeFunction, quantile: number): readonly (number | null)[] {
  const { timesMs } = samples
  const windowMs = Math.max(steps.stepMs, steps.lookbackMs)
  let first = 0
  let next = 0
  return Array.from({ length: stepCount(steps) }, (_, index) => {
    const endMs = steps.fromMs + index * steps.stepMs
    while (next < timesMs.length && (timesMs[next] ?? Infinity) <= endMs) next += 1
    while (first < next && (timesMs[first] ?? Infinity) <= endMs - windowMs) first += 1
    return fn === 'rate'
      ? rateOver(samples, { first, next, lookbackMs: steps.lookbackMs })
      : ofWindow(samples, { first, next }, fn, quantile)
  })
}

function ofWindow(
  { values, maxima, spansMs }: Samples,
  { first, next }: { readonly first: number; readonly next: number },
  fn: Exclude<RangeFunction, 'rate'>,
  quantile: number,
): number | null {
  if (next === first) return null
  switch (fn) {
    case 'last':
      return values[next - 1] ?? null
    case 'max':
      return maxima.slice(first, next).reduce((most, value) => Math.max(most, value), -Infinity)
    case 'avg': {
      const wholeMs = spansMs.slice(first, next).reduce((sum, spanMs) => sum + spanMs, 0)
      return values.slice(first, next).reduce((sum, value, index) => sum + value * (spansMs[first + index] ?? 0), 0) / wholeMs
    }
    case 'quantile':
      return quantileOf(values.slice(first, next), quantile)
  }
}

/** From the last sample before the window, if it is not too old, so that nothing falls between two windows. */
function rateOver(
  { timesMs, values }: Samples,
  { first, next, lookbackMs }: { readonly first: number; readonly next: number; readonly lookbackMs: number },
): number | null {
  if (next === first) return null
  const isNear = first > 0 && (timesMs[first] ?? 0) - (timesMs[first - 1] ?? 0) <= lookbackMs
  const base = isNear ? first - 1 : first
  const tookMs = (timesMs[next - 1] ?? 0) - (timesMs[base] ?? 0)
  if (tookMs <= 0) return null
  let grown = 0
  for (let at = base + 1; at < next; at += 1) grown += growth(values[at - 1] ?? 0, values[at] ?? 0)
  return (grown * 1000) / tookMs
}

/** A counter that went back began with nothing. */
function growth(before: number, after: number): number {
  return after < before ? after : after - before
}

/** Between two values in the share of the way: quantile 0.5 of an even number is the middle of the two in the middle. */
export function quantileOf(values: readonly number[], ratio: number): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const rank = ratio * (sorted.length - 1)
  const low = sorted[Math.floor(rank)] ?? 0
  const high = sorted[Math.ceil(rank)] ?? low
  return low === high ? low : low + (high - low) * (rank - Math.floor(rank))
}

/**
 * `buckets`: growth up to each bound, the lowest first and the last for everything. Evenly spread within a bucket, as Prometheus' `histogram_quantile`; above the last bound it is that bound.
 * null: nothing happened.
 */
export function histogramQuantile(
  buckets: readonly { readonly bound: number; readonly count: number }[],
  ratio: number,
): number | null {
  const total = buckets.at(-1)?.count ?? 0
  if (!(total > 0)) return null
  const rank = ratio * total
  const index = Math.max(
    0,
    buckets.findIndex(({ count }) => count >= rank),
  )
  const { bound, count } = buckets[index] ?? { bound: 0, count: 0 }
  const { bound: low, count: below } = buckets[index - 1] ?? { bound: Math.min(0, bound), count: 0 }
  if (!Number.isFinite(bound)) return Number.isFinite(low) ? low : null
  return count === below ? bound : low + (bound - low) * ((rank - below) / (count - below))
}
