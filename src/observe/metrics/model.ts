/** What a metric is, in the words of Prometheus. `untyped`: nobody said. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped'

/** What is said of a metric once, wherever it is measured. */
export interface MetricSpec {
  /** With its unit last, and `_total` behind that of a counter: `glovebox_container_cpu_seconds_total`. */
  readonly name: string
  readonly type: MetricType
  readonly help: string
  /** The history keeps it. Absent: only those who ask at the moment see it. */
  readonly isKept?: boolean
}

/** A metric with all that was measured of it. */
export interface MetricFamily extends MetricSpec {
  readonly samples: readonly Sample[]
}

export interface Sample {
  /** Behind the family's name: empty, or `_bucket`, `_sum`, `_count`. */
  readonly suffix: string
  /** As they are written, without the braces: `container="web",le="0.5"`. Made by `labelText` alone. */
  readonly labels: string
  readonly value: number
}

export type Labels = Readonly<Record<string, string>>
