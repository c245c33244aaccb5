import { labelText, type Labels } from '#observe/metrics'

import type { Block } from './block.ts'
import { historyError } from './errors.ts'
import { evaluate, histogramQuantile, stepCount, type Steps } from './evaluate.ts'
import type { HistoryFile } from './history-file.ts'
import type { RangeAnswer, RangeQuery, RangeSeries } from './port.ts'
import { coarsestStepMs, planSpans, readSamples } from './read-samples.ts'
import type { Series, SeriesIndex } from './series-index.ts'
import { SLOT_MS } from './tiers.ts'

export interface RangeNeeds {
  readonly file: HistoryFile
  readonly index: SeriesIndex
  /** Not at their places yet, the oldest first. */
  readonly blocks: () => readonly Block[]
  readonly nowMs: number
  readonly share: number
  /** Lets others have a turn. */
  readonly turn: () => Promise<void>
}

/** A plot has fewer points than a screen has columns; Prometheus' own bound. */
const MAX_STEPS = 11_000
/** Series that are read for one answer: those of 100 containers' buckets. */
const MAX_SERIES_READ = 2000
/** Values of one answer: some 10 MB of JSON. */
const MAX_VALUES = 1_000_000
/** Series that are read before others get a turn: some milliseconds. */
const READ_AT_ONCE = 10
const DEFAULT_QUANTILE = 0.95
/** A sample that is this many distances old still counts: one that came late or not at all leaves no hole. */
const LOOKBACK_SAMPLES = 2.5

interface Evaluated {
  readonly series: Series
  readonly values: readonly (number | null)[]
}

export async function answerRange(query: RangeQuery, needs: RangeNeeds): Promise<RangeAnswer> {
  const stepMs = Math.max(SLOT_MS, Math.round(query.stepS * 1000))
  const quantile = query.quantile ?? DEFAULT_QUANTILE
  const found = needs.index.select(query.selector)
  const { fromMs, toMs } = query
  check(query, { stepMs, quantile, found })
  const isHistogram =
    query.fn === 'quantile' && found.length > 0 && found.every(({ name, labels }) => name.endsWith('_bucket') && 'le' in labels)
  const spansFrom = (startMs: number) => {
    const memoryFromMs = needs.blocks()[0]?.startMs ?? needs.nowMs
    return planSpans({ fromMs: startMs, toMs, stepMs, nowMs: needs.nowMs, memoryFromMs, share: needs.share })
  }
  const spans = spansFrom(fromMs - stepMs)
  const steps: Steps = { fromMs, toMs, stepMs, lookbackMs: coarsestStepMs(spans) * LOOKBACK_SAMPLES }
  const readFromMs = fromMs - Math.max(stepMs, steps.lookbackMs) - steps.lookbackMs
  const evaluated: Evaluated[] = []
  for (const [at, series] of found.entries()) {
    if (at % READ_AT_ONCE === READ_AT_ONCE - 1) await needs.turn()
    const samples = readSamples(series.id, {
      file: needs.file,
      spans: spansFrom(readFromMs),
      blocks: needs.blocks(),
      fromMs: readFromMs,
      toMs,
    })
    if (samples.timesMs.length === 0) continue
    evaluated.push({ series, values: evaluate(samples, steps, isHistogram ? 'rate' : query.fn, quantile) })
  }
  const series = isHistogram
    ? quantiles(evaluated, query.by, quantile)
    : query.by === undefined
      ? evaluated.map(plain)
      : sums(evaluated, query.by)
  return { fromMs, toMs, stepS: stepMs / 1000, series: series.filter(({ values }) => values.some((value) => value !== null)) }
}

function check(
  query: RangeQuery,
  { stepMs, quantile, found }: { readonly stepMs: number; readonly quantile: number; readonly found: readonly Series[] },
): void {
  const { fromMs, toMs, fn } = query
  if (!Number.isFinite(fromMs) || !Number.isFinite(toMs) || fromMs > toMs || !Number.isFinite(stepMs))
    throw historyError('history.query_invalid', `from ${fromMs} to ${toMs} in steps of ${query.stepS} s is no time`)
  if (!(quantile >= 0 && quantile <= 1))
    throw historyError('history.query_invalid', `the quantile ${quantile} is not from 0 to 1`)
  const steps = stepCount({ fromMs, toMs, stepMs })
  if (steps > MAX_STEPS)
    throw historyError('history.query_too_large', `${steps} steps are more than ${MAX_STEPS}`, {
      hint: 'Ask for longer steps or less time.',
    })
  if (found.length > MAX_SERIES_READ || found.length * steps > MAX_VALUES)
    throw historyError('history.query_too_large', `the selector names ${found.length} series, at ${steps} steps each`, {
      hint: `At most ${MAX_SERIES_READ} series and ${MAX_VALUES} values: narrow the selector, or ask for longer steps.`,
    })
  const still = fn === 'rate' ? found.find(({ isRising }) => !isRising) : undefined
  if (still !== undefined)
    throw historyError('history.query_invalid', `${still.name} is no counter: there is no rate of it`, {
      hint: 'Ask for avg, max or last.',
    })
}

function plain({ series, values }: Evaluated): RangeSeries {
  return { name: series.name, labels: series.labels, values }
}

function groupsOf(
  evaluated: readonly Evaluated[],
  by: readonly string[] | undefined,
): ReadonlyMap<string, { readonly labels: Labels; readonly members: Evaluated[] }> {
  const groups = new Map<string, { labels: Labels; members: Evaluated[] }>()
  for (const one of evaluated) {
    const { name, labels } = one.series
    const { le: _le, ...others } = labels
    const kept = by === undefined ? others : Object.fromEntries(by.map((label) => [label, labels[label] ?? '']))
    const key = `${name}{${labelText(kept)}`
    const group = groups.get(key) ?? { labels: kept, members: [] }
    groups.set(key, group)
    group.members.push(one)
  }
  return groups
}

/** Where one of them is not known, it adds nothing; where none is known, nothing is. */
function sums(evaluated: readonly Evaluated[], by: readonly string[]): readonly RangeSeries[] {
  return [...groupsOf(evaluated, by).values()].map(({ labels, members }) => ({
    name: members[0]?.series.name ?? '',
    labels,
    values: added(members),
  }))
}

function added(members: readonly Evaluated[]): readonly (number | null)[] {
  const [first] = members
  return (first?.values ?? []).map((_, step) => {
    let sum: number | null = null
    for (const { values } of members) {
      const value = values[step]
      if (value !== null && value !== undefined) sum = (sum ?? 0) + value
    }
    return sum
  })
}

function quantiles(evaluated: readonly Evaluated[], by: readonly string[] | undefined, ratio: number): readonly RangeSeries[] {
  return [...groupsOf(evaluated, by).values()].map(({ labels, members }) => {
    const bounds = [...Map.groupBy(members, ({ series }) => boundOf(series))].toSorted(([a], [b]) => a - b)
    const rates = bounds.map(([bound, ofBound]) => ({ bound, values: added(ofBound) }))
    const name = (members[0]?.series.name ?? '').replace(/_bucket$/, '')
    const steps = members[0]?.values ?? []
    return {
      name,
      labels,
      values: steps.map((_, step) =>
        histogramQuantile(
          rates.map(({ bound, values }) => ({ bound, count: values[step] ?? 0 })),
          ratio,
        ),
      ),
    }
  })
}

function boundOf({ labels }: Series): number {
  return labels['le'] === '+Inf' ? Infinity : Number(labels['le'])
}
