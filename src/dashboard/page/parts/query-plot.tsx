import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import type { RangeAnswer } from '#api/glovebox'

import { useApp } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { askRange, timesOf, type Ask, type Span } from '../base/metric-query.ts'
import { Empty, Panel } from './panel.tsx'
import type { Series } from './plot-props.ts'
import { Plot } from './plot.tsx'

export interface QueryPlotProps {
  readonly title: string
  readonly asks: readonly Ask[]
  readonly format: (value: number) => string
  readonly isBytes?: boolean
  /** Absent: the last hour, up to now. */
  readonly span?: Span
  readonly onZoom?: (span: Span) => void
}

const HOUR_MS = 3_600_000
const EVERY_MS = 15_000
const SECOND = 1000
const TONES = ['first', 'second', 'third', 'bad'] as const
/** More curves in one plot tell nothing. */
const MAX_CURVES = 4

/** A plot of what was measured. */
export function QueryPlot({ title, asks, format, isBytes = false, span, onZoom }: QueryPlotProps): JSX.Element {
  const { http, live } = useApp()
  const [answers, setAnswers] = useState<readonly RangeAnswer[] | null>(null)
  const [refusal, setRefusal] = useState('')
  const key = JSON.stringify([asks, span])
  useEffect(() => {
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      const now = live.nowMs()
      const asked = span ?? { fromMs: now - HOUR_MS, toMs: now }
      try {
        const all = await Promise.all(asks.map(async (one) => await askRange(http, one, asked)))
        if (!isOver) setAnswers(all)
        if (!isOver) setRefusal('')
      } catch (error) {
        if (!isOver) setRefusal(wordsOf(error))
      }
      if (!isOver && span === undefined) timer = setTimeout(() => void ask(), EVERY_MS)
    }
    void ask()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [key])
  const series = answers === null ? [] : curves(asks, answers)
  const times = answers?.map(timesOf).find((one) => one.length > 0) ?? []
  const zoom =
    onZoom === undefined ? {} : { onZoom: (fromS: number, toS: number) => onZoom({ fromMs: fromS * SECOND, toMs: toS * SECOND }) }
  return (
    <Panel title={title}>
      {refusal !== '' && <p class="refusal">{refusal}</p>}
      {answers === null && refusal === '' && <Empty>Loading…</Empty>}
      {answers !== null && series.length === 0 && <Empty>Nothing was measured in that time.</Empty>}
      {series.length > 0 && <Plot label={title} times={times} series={series} format={format} isBytes={isBytes} {...zoom} />}
    </Panel>
  )
}

function curves(asks: readonly Ask[], answers: readonly RangeAnswer[]): readonly Series[] {
  const all = asks.flatMap((ask, at) => (answers[at]?.series ?? []).map((one) => ({ ask, one })))
  const isNamed = asks.length === all.length
  return all.slice(0, MAX_CURVES).map(({ ask, one }, index) => ({
    title: isNamed ? ask.title : Object.values(one.labels).join(' ') || ask.title,
    tone: isNamed ? ask.tone : (TONES[index] ?? 'first'),
    values: one.values,
  }))
}
