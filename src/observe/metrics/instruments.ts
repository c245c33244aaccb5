import { invariant } from '#base'

import { metricError } from './errors.ts'
import { joinLabels, labelText } from './labels.ts'
import type { MetricFamily, MetricSpec, Sample } from './model.ts'
import { COUNTER_SUFFIX, LABEL_NAME, METRIC_NAME } from './names.ts'

/** What a declaration says beside its type. `labels`: names, for which every measurement gives the values in the same order. */
export interface InstrumentSpec<L extends readonly string[] = readonly string[]> extends Omit<MetricSpec, 'type'> {
  readonly labels: L
}

type Values<L extends readonly string[]> = { readonly [K in keyof L]: string }

export interface Counter<L extends readonly string[]> {
  add(values: Values<L>, by?: number): void
}

export interface Gauge<L extends readonly string[]> {
  set(values: Values<L>, value: number): void
}

export interface Distribution<L extends readonly string[]> {
  observe(values: Values<L>, value: number): void
}

/** An instrument and what it has measured. */
export interface Measured {
  readonly spec: MetricSpec
  family(): MetricFamily
  /** Label sets that were turned away, for the instrument had as many as it may. */
  refused(): number
}

/**
 * Label sets of one instrument. Labels come from closed lists (operations, outcomes), so this is never reached unless somebody puts a name or an id into
 * one; then the rest of the metric stays right.
 */
export const MAX_LABEL_SETS = 1000

/** In the order of their first measurement, so that a text does not jump about. */
function labelSets<T>(labels: readonly string[], make: () => T) {
  const sets = new Map<string, { readonly text: string; readonly state: T }>()
  let refused = 0
  return {
    find: (values: readonly string[]): T | undefined => {
      const key = values.length === 1 ? (values[0] ?? '') : values.join('\u0000')
      const known = sets.get(key)
      if (known !== undefined) return known.state
      if (sets.size >= MAX_LABEL_SETS) {
        refused += 1
        return undefined
      }
      const text = labelText(Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])))
      const state = make()
      sets.set(key, { text, state })
      return state
    },
    all: () => [...sets.values()],
    refused: () => refused,
  }
}

export function counter<L extends readonly string[]>(spec: InstrumentSpec<L>): Counter<L> & Measured {
  checkSpec(spec, 'counter')
  const sets = labelSets(spec.labels, () => ({ value: 0 }))
  return {
    ...measured(spec, 'counter', sets.refused, () =>
      sets.all().map(({ text, state }) => ({ suffix: '', labels: text, value: state.value })),
    ),
    add: (values, by = 1) => {
      invariant(by >= 0, `${spec.name} was to go back by ${-by}`)
      const set = sets.find(values)
      if (set !== undefined) set.value += by
    },
  }
}

export function gauge<L extends readonly string[]>(spec: InstrumentSpec<L>): Gauge<L> & Measured {
  checkSpec(spec, 'gauge')
  const sets = labelSets(spec.labels, () => ({ value: 0 }))
  return {
    ...measured(spec, 'gauge', sets.refused, () =>
      sets.all().map(({ text, state }) => ({ suffix: '', labels: text, value: state.value })),
    ),
    set: (values, value) => {
      const set = sets.find(values)
      if (set !== undefined) set.value = value
    },
  }
}

/** `bounds`: upper ends of the buckets, rising, without the one for everything. */
export function distribution<L extends readonly string[]>(
  spec: InstrumentSpec<L>,
  bounds: readonly number[],
): Distribution<L> & Measured {
  checkSpec(spec, 'histogram')
  invariant(
    bounds.every((bound, index) => bound > (bounds[index - 1] ?? -Infinity)),
    `the bounds of ${spec.name} do not rise`,
  )
  const sets = labelSets(spec.labels, () => ({ counts: bounds.map(() => 0), sum: 0, count: 0 }))
  return {
    ...measured(spec, 'histogram', sets.refused, () =>
      sets.all().flatMap(({ text, state }) => histogramSamples(text, { bounds, ...state })),
    ),
    observe: (values, value) => {
      const set = sets.find(values)
      if (set === undefined) return
      set.sum += value
      set.count += 1
      const index = bounds.findIndex((bound) => value <= bound)
      if (index !== -1) set.counts[index] = (set.counts[index] ?? 0) + 1
    },
  }
}

/** `counts[n]`: of those in the bucket up to `bounds[n]` alone; `count` is of all. Written, each bucket holds those below it. */
export function histogramSamples(
  labels: string,
  of: { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly sum: number; readonly count: number },
): readonly Sample[] {
  let below = 0
  const buckets = of.bounds.map((bound, index): Sample => {
    below += of.counts[index] ?? 0
    return { suffix: '_bucket', labels: joinLabels(labels, `le="${bound}"`), value: below }
  })
  return [
    ...buckets,
    { suffix: '_bucket', labels: joinLabels(labels, 'le="+Inf"'), value: of.count },
    { suffix: '_sum', labels, value: of.sum },
    { suffix: '_count', labels, value: of.count },
  ]
}

function measured(
  spec: InstrumentSpec,
  type: MetricSpec['type'],
  refused: () => number,
  samples: () => readonly Sample[],
): Measured {
  const { name, help, isKept } = spec
  const said: MetricSpec = { name, help, type, ...(isKept === undefined ? {} : { isKept }) }
  return { spec: said, refused, family: () => ({ ...said, samples: samples() }) }
}

/** A wrong declaration is found when the daemon starts, not when Prometheus refuses the page. */
export function checkSpec(
  spec: { readonly name: string; readonly help: string; readonly labels?: readonly string[] },
  type: MetricSpec['type'],
): void {
  const { name, help, labels = [] } = spec
  const say = (message: string) => metricError('metrics.declaration_invalid', `the metric ${JSON.stringify(name)} ${message}`)
  if (!METRIC_NAME.test(name)) throw say('has a name that Prometheus does not read')
  if (help === '') throw say('says nothing of itself')
  if ((type === 'counter') !== name.endsWith(COUNTER_SUFFIX)) throw say(`is a ${type}: only counters end with ${COUNTER_SUFFIX}`)
  const bad = labels.find((label) => !LABEL_NAME.test(label) || label.startsWith('__') || label === 'le')
  if (bad !== undefined) throw say(`has a label ${JSON.stringify(bad)}, which it may not have`)
}
