import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

import { useApp } from '../base/app-context.ts'
import { useValue } from '../base/value.ts'
import type { DrawnPlot } from './draw-plot.ts'
import type { PlotProps } from './plot-props.ts'

/** A curve over time; the library that draws it is fetched with the first one. */
export function Plot(props: PlotProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const drawn = useRef<DrawnPlot | null>(null)
  const theme = useValue(useApp().theme.name)
  const kind = `${theme} ${props.series.map(({ title, tone }) => `${title} ${tone}`).join(' ')}`
  const latest = useRef(props)
  latest.current = props
  useEffect(() => {
    let isOver = false
    void import('./draw-plot.ts').then(({ drawPlot }) => {
      if (isOver || box.current === null) return
      drawn.current = drawPlot(box.current, latest.current)
    })
    return () => {
      isOver = true
      drawn.current?.remove()
      drawn.current = null
    }
  }, [kind])
  useEffect(() => drawn.current?.update(props))
  const last = props.series
    .map(({ title, values }) => `${title}: ${props.format(values.findLast((value) => value !== null) ?? 0)}`)
    .join(', ')
  return <div class="plot" ref={box} role="img" aria-label={`${props.label}. Now ${last}`} />
}
