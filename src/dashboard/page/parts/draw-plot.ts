import UPlot from 'uplot'

import type { PlotProps, Series } from './plot-props.ts'

export interface DrawnPlot {
  update(props: PlotProps): void
  remove(): void
}

const HEIGHT_PX = 180
const COLOURS: Readonly<Record<Series['tone'], string>> = { first: '--accent', second: '--warn', third: '--busy', bad: '--bad' }
const AXIS_PX = 72
const POWERS = Array.from({ length: 14 }, (_, power) => 10 ** (power - 4))
const PLAIN_STEPS = POWERS.flatMap((power) => [power, 2 * power, 2.5 * power, 5 * power])
const BYTE_STEPS = Array.from({ length: 45 }, (_, power) => 2 ** power)
/** From which step on times are written how: the format, and what is below it where a new minute, day, month or year begins. */
const TIME_STEPS: UPlot.Axis.Values = [
  [86_400, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{D} {MMM}', null, '\n{D} {MMM}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{D} {MMM}', null, '\n{D} {MMM}', null, null, null, 1],
]

export function drawPlot(box: HTMLElement, props: PlotProps): DrawnPlot {
  const probe = document.createElement('span')
  box.append(probe)
  // Colours with two faces are resolved only where they are used.
  const colour = (name: string): string => {
    probe.style.color = `var(${name})`
    return getComputedStyle(probe).color
  }
  let format = props.format
  let onZoom = props.onZoom
  const axis = {
    stroke: colour('--ink-soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  }
  const plot = new UPlot(
    {
      width: box.clientWidth,
      height: HEIGHT_PX,
      legend: { show: props.series.length > 1, live: false },
      cursor: { drag: { x: onZoom !== undefined, y: false, setScale: false } },
      scales: { y: { range: (_plot, low, high) => [Math.min(0, low), high <= 0 ? 1 : high * 1.1] } },
      axes: [
        { ...axis, values: TIME_STEPS },
        {
          ...axis,
          size: AXIS_PX,
          incrs: props.isBytes === true ? BYTE_STEPS : PLAIN_STEPS,
          values: (_plot, splits) => splits.map((value) => format(value)),
        },
      ],
      series: [
        {},
        ...props.series.map(({ title, tone }, at) => ({
          label: title,
          stroke: colour(COLOURS[tone]),
          width: 1.5,
          ...(at === 0 && props.series.length === 1
            ? { fill: `color-mix(in srgb, ${colour(COLOURS[tone])} 12%, transparent)` }
            : {}),
          // One that stands alone would not be seen.
          points: { size: 4 },
        })),
      ],
      hooks: {
        setSelect: [
          ({ select, posToVal, setSelect }) => {
            if (select.width < 5) return
            onZoom?.(posToVal(select.left, 'x'), posToVal(select.left + select.width, 'x'))
            setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          },
        ],
      },
    },
    dataOf(props),
    box,
  )
  probe.remove()
  const observer = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT_PX }))
  observer.observe(box)
  return {
    update: (next) => {
      format = next.format
      onZoom = next.onZoom
      plot.setData(dataOf(next))
    },
    remove: () => {
      observer.disconnect()
      plot.destroy()
    },
  }
}

function dataOf({ times, series }: PlotProps): UPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])]
}
