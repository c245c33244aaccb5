import type { Labels, MetricFamily } from '#observe/metrics'

/** What was measured, for as long as it is kept: every 10 seconds for six hours, every minute for three days, every ten minutes for sixty days. */
export interface MetricsHistory {
  /**
   * Values of the series that the selector names, at `toMs` and every step before it down to `fromMs`. Errors: `metrics.selector_invalid`, `history.query_invalid`,
   * `history.query_too_large`; `history.off` when nothing is kept.
   */
  range(query: RangeQuery): Promise<RangeAnswer>
  /** Series that the selector names, of whatever time. Errors: `metrics.selector_invalid`, `history.off`. */
  series(selector: string): readonly KeptSeries[]
}

/**
 * `last`: the newest value. `avg`, `max`: over the step. `rate`: growth of a counter per second; what went back began anew. `quantile`: of a histogram's `_bucket` series its quantile, one
 * series for all of its buckets; of others the quantile of the values in the step.
 */
export type RangeFunction = 'rate' | 'avg' | 'max' | 'last' | 'quantile'

export interface RangeQuery {
  /** `glovebox_container_cpu_seconds_total{service="web"}` */
  readonly selector: string
  readonly fromMs: number
  readonly toMs: number
  /** Below 10: 10. */
  readonly stepS: number
  readonly fn: RangeFunction
  /** From 0 to 1; 0.95 unless told. */
  readonly quantile?: number
  /** Labels by which series are added up to one; empty: all of them. Absent: each by itself. Histograms are added up before their quantile is taken. */
  readonly by?: readonly string[]
}

export interface RangeAnswer {
  readonly fromMs: number
  readonly toMs: number
  readonly stepS: number
  readonly series: readonly RangeSeries[]
}

export interface RangeSeries {
  /** Of the metric. */
  readonly name: string
  readonly labels: Labels
  /** At `fromMs`, one step later, and so on; null: nothing is known of that time. */
  readonly values: readonly (number | null)[]
}

export interface KeptSeries {
  readonly name: string
  readonly labels: Labels
  readonly lastMs: number
}

export interface HistoryFacts {
  readonly series: number
  /** Series that were not taken in, for there were as many as there may be. */
  readonly refused: number
  readonly usedBytes: number
  readonly maxBytes: number
  /** Samples taken since the daemon runs. */
  readonly samples: number
  readonly samplesBytes: number
}

export interface HistoryWriter {
  /** Takes in what of it is to be kept. A time that is not after the one before is passed over. */
  append(atMs: number, families: readonly MetricFamily[]): void
  facts(): HistoryFacts
}
