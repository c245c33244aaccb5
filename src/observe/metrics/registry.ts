import { messageOf, type Clock, type Log } from '#base'

import {
  counter,
  distribution,
  gauge,
  type Counter,
  type Distribution,
  type Gauge,
  type InstrumentSpec,
  type Measured,
} from './instruments.ts'
import { labelText } from './labels.ts'
import type { MetricFamily, Sample } from './model.ts'

/** Everything that is measured, in one place: what is counted as it happens, and what is looked up when somebody asks. */
export interface MetricRegistry {
  counter<const L extends readonly string[]>(spec: InstrumentSpec<L>): Counter<L>
  gauge<const L extends readonly string[]>(spec: InstrumentSpec<L>): Gauge<L>
  /** `bounds`: upper ends of the buckets, rising, in base units. */
  histogram<const L extends readonly string[]>(spec: InstrumentSpec<L>, bounds: readonly number[]): Distribution<L>
  /** Asked at each reading. One that fails is left out of it, which a metric says. */
  source(source: MetricSource): void
  /** Not older than `maxAgeMs`; two who ask at once get the same. */
  read(wish: Wish, maxAgeMs: number): Promise<Reading>
}

/** `history`: only what the history keeps has to be looked up. */
export type Wish = 'all' | 'history'

export interface MetricSource {
  readonly name: string
  /** What costs much is looked up this seldom. Absent: each time. */
  readonly everyMs?: number
  read(wish: Wish): readonly MetricFamily[] | Promise<readonly MetricFamily[]>
}

export interface Reading {
  /** Wall clock, when it began. */
  readonly atMs: number
  readonly families: readonly MetricFamily[]
}

/** Series of one reading: 1,000 containers with all that is told of them. What is beyond is left out, the last families first. */
export const MAX_SERIES = 50_000

/** Names of series, in their families' order: a scrape reads the same from one time to the next. */
export function createRegistry({ clock, log }: { readonly clock: Clock; readonly log: Log }): MetricRegistry {
  const instruments: Measured[] = []
  const sources = new Map<string, KeptSource>()
  const under = new Map<Wish, { readonly startedMs: number; readonly reading: Promise<Reading> }>()
  const keep = <T extends Measured>(instrument: T): T => {
    instruments.push(instrument)
    return instrument
  }

  const gather = async (wish: Wish): Promise<Reading> => {
    const atMs = clock.nowMs()
    const found: MetricFamily[] = instruments
      .filter(({ spec }) => wish === 'all' || spec.isKept === true)
      .map((one) => one.family())
    const looked: Sample[] = []
    const took: Sample[] = []
    for (const source of sources.values()) {
      const startedMs = clock.monotonicMs()
      const families = await readSource(source, wish, { clock, log })
      const labels = labelText({ source: source.source.name })
      looked.push({ suffix: '', labels, value: families === undefined ? 0 : 1 })
      took.push({ suffix: '', labels, value: (clock.monotonicMs() - startedMs) / 1000 })
      for (const family of families ?? []) if (wish === 'all' || family.isKept === true) found.push(family)
    }
    if (wish === 'history') return { atMs, families: bounded(found).families }
    const { families, series, left } = bounded(found.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    const refused = instruments.reduce((sum, instrument) => sum + instrument.refused(), 0)
    return { atMs, families: [...families, ...aboutItself({ looked, took, series, left, refused })] }
  }

  return {
    counter: (spec) => keep(counter(spec)),
    gauge: (spec) => keep(gauge(spec)),
    histogram: (spec, bounds) => keep(distribution(spec, bounds)),
    source: (source) => void sources.set(source.name, { source, last: new Map() }),
    read: async (wish, maxAgeMs) => {
      const known = under.get(wish)
      const nowMs = clock.monotonicMs()
      if (known !== undefined && nowMs - known.startedMs <= maxAgeMs) return await known.reading
      const reading = gather(wish)
      under.set(wish, { startedMs: nowMs, reading })
      return await reading
    },
  }
}

interface KeptSource {
  readonly source: MetricSource
  readonly last: Map<Wish, { readonly atMs: number; readonly families: readonly MetricFamily[] }>
}

async function readSource(
  { source, last }: KeptSource,
  wish: Wish,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<readonly MetricFamily[] | undefined> {
  const known = last.get(wish)
  if (known !== undefined && clock.monotonicMs() - known.atMs < (source.everyMs ?? 0)) return known.families
  try {
    const families = await source.read(wish)
    if (source.everyMs !== undefined) last.set(wish, { atMs: clock.monotonicMs(), families })
    return families
  } catch (error) {
    log.debug('metrics: a source could not be read', { source: source.name, error: messageOf(error) })
    return undefined
  }
}

function bounded(families: readonly MetricFamily[]): {
  readonly families: readonly MetricFamily[]
  readonly series: number
  readonly left: number
} {
  let series = 0
  let left = 0
  const kept: MetricFamily[] = []
  for (const family of families) {
    const room = MAX_SERIES - series
    const count = family.samples.length
    // Half a histogram would be wrong: a family is there as a whole or cut between its label sets only where it is plain.
    const taken = count <= room ? count : family.type === 'histogram' ? 0 : room
    kept.push(taken === count ? family : { ...family, samples: family.samples.slice(0, taken) })
    series += taken
    left += count - taken
  }
  return { families: kept, series, left }
}

/** Of the reading itself: not counted among its series. */
function aboutItself(of: {
  readonly looked: readonly Sample[]
  readonly took: readonly Sample[]
  readonly series: number
  readonly left: number
  readonly refused: number
}): readonly MetricFamily[] {
  const one = (value: number): readonly Sample[] => [{ suffix: '', labels: '', value }]
  const plain = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
    name,
    help,
    type: 'gauge',
    samples,
  })
  return [
    plain('glovebox_metrics_source_up', 'Whether a source of these figures could be read.', of.looked),
    plain('glovebox_metrics_source_duration_seconds', 'How long it took to read a source.', of.took),
    plain('glovebox_metrics_series', 'Series in this answer.', one(of.series)),
    plain('glovebox_metrics_series_limit', 'Series that an answer holds at most.', one(MAX_SERIES)),
    plain('glovebox_metrics_series_left_out', 'Series that were left out of this answer, for it was full.', one(of.left)),
    {
      name: 'glovebox_metrics_label_sets_refused_total',
      type: 'counter',
      help: 'Measurements that were not taken, for their metric had as many label sets as it may.',
      samples: one(of.refused),
    },
  ]
}
