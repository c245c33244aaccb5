import type { RangeAnswer } from '#api/glovebox'

import type { Http } from './http.ts'

/** One thing that is asked of what was measured. */
export interface Ask {
  /** The name of its curve; of an ask with several series their labels are. */
  readonly title: string
  readonly tone: 'first' | 'second' | 'third' | 'bad'
  readonly selector: string
  readonly fn: 'rate' | 'avg' | 'max' | 'last' | 'quantile'
  readonly quantile?: number
  /** Labels by which series are added up; empty: all of them; absent: each by itself. */
  readonly by?: readonly string[]
}

export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** Curves with more points than a screen has are not better. */
const POINTS = 240
const LEAST_STEP_S = 10
const SECOND = 1000

export async function askRange(http: Http, ask: Ask, { fromMs, toMs }: Span): Promise<RangeAnswer> {
  const stepS = Math.max(LEAST_STEP_S, Math.ceil((toMs - fromMs) / SECOND / POINTS))
  const query = new URLSearchParams({
    selector: ask.selector,
    fn: ask.fn,
    fromMs: String(Math.floor(fromMs)),
    toMs: String(Math.floor(toMs)),
    stepS: String(stepS),
  })
  if (ask.by !== undefined) query.set('by', ask.by.join(','))
  if (ask.quantile !== undefined) query.set('quantile', String(ask.quantile))
  return await http.json<RangeAnswer>('GET', `/glovebox/v1/metrics/query?${query}`)
}

export function timesOf({ fromMs, stepS, series }: RangeAnswer): readonly number[] {
  const length = series[0]?.values.length ?? 0
  return Array.from({ length }, (_, index) => fromMs / SECOND + index * stepS)
}

/** In a selector, a label's value stands in double quotes. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
