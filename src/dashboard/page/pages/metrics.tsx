import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import { useApp, useLive } from '../base/app-context.ts'
import { bytes, figure, fullTime, percent, rate } from '../base/format.ts'
import { quoted, type Ask, type Span } from '../base/metric-query.ts'
import { to } from '../base/place.ts'
import { useValue } from '../base/value.ts'
import { Choice } from '../parts/choice.tsx'
import { PageHead } from '../parts/panel.tsx'
import { QueryPlot } from '../parts/query-plot.tsx'

const RANGES = ['1 h', '6 h', '1 d', '7 d', '30 d'] as const
type Range = (typeof RANGES)[number]
const HOURS: Readonly<Record<Range, number>> = { '1 h': 1, '6 h': 6, '1 d': 24, '7 d': 168, '30 d': 720 }
const HOUR_MS = 3_600_000

interface Drawn {
  readonly title: string
  readonly format: (value: number) => string
  readonly asks: readonly Ask[]
}

/** What was measured, of the machine or of an application, over the time that one chooses. */
export function Metrics(): JSX.Element {
  const { live, place } = useApp()
  const of = useValue(place).query.get('of') ?? ''
  const { stacks } = useLive('stacks')
  const [range, setRange] = useState<Range>('1 h')
  const [zoom, setZoom] = useState<Span | null>(null)
  const now = live.nowMs()
  const span = zoom ?? (range === '1 h' ? undefined : { fromMs: roundDown(now - HOURS[range] * HOUR_MS), toMs: roundDown(now) })
  const choose = (next: Range) => {
    setZoom(null)
    setRange(next)
  }
  return (
    <>
      <PageHead
        title="Metrics"
        over={zoom === null ? 'Draw over a plot to look closer' : `${fullTime(zoom.fromMs)} to ${fullTime(zoom.toMs)}`}
      >
        {zoom !== null && (
          <button type="button" class="button" onClick={() => setZoom(null)}>
            Back to {range}
          </button>
        )}
        <select
          aria-label="Of what"
          value={of}
          onChange={(event) => (location.hash = `${to('metrics')}?of=${encodeURIComponent(event.currentTarget.value)}`)}
        >
          <option value="">The machine</option>
          {[...stacks.keys()].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <Choice label="Time" of={RANGES} value={range} onChoose={choose} />
      </PageHead>
      <div class="plots">
        {(of === '' ? MACHINE : ofStack(of)).map(({ title, format, asks }) => (
          <QueryPlot
            key={`${of} ${title}`}
            title={title}
            format={format}
            isBytes={format === bytes || format === rate}
            asks={asks}
            onZoom={setZoom}
            {...(span === undefined ? {} : { span })}
          />
        ))}
      </div>
    </>
  )
}

/** So that drawing anew does not ask anew. */
function roundDown(ms: number): number {
  return Math.floor(ms / 60_000) * 60_000
}

const one = (title: string, tone: Ask['tone'], selector: string, fn: Ask['fn'], more: Partial<Ask> = {}): Ask => ({
  title,
  tone,
  selector,
  fn,
  by: [],
  ...more,
})

const MACHINE: readonly Drawn[] = [
  {
    title: 'Load',
    format: figure,
    asks: [one('1 minute', 'first', 'glovebox_host_load1', 'avg'), one('15 minutes', 'second', 'glovebox_host_load15', 'avg')],
  },
  {
    title: 'Processor by mode',
    format: percent,
    asks: ['user', 'system', 'iowait'].map((mode, at) =>
      one(mode, (['first', 'second', 'bad'] as const)[at] ?? 'first', `glovebox_host_cpu_seconds_total{mode="${mode}"}`, 'rate'),
    ),
  },
  {
    title: 'Memory',
    format: bytes,
    asks: [
      one('available', 'first', 'glovebox_host_memory_bytes{kind="available"}', 'avg'),
      one('all', 'second', 'glovebox_host_memory_bytes{kind="total"}', 'avg'),
    ],
  },
  {
    title: 'Network',
    format: rate,
    asks: [
      one('in', 'first', 'glovebox_host_network_received_bytes_total', 'rate'),
      one('out', 'second', 'glovebox_host_network_sent_bytes_total', 'rate'),
    ],
  },
  {
    title: 'Disk',
    format: rate,
    asks: [
      one('read', 'first', 'glovebox_host_disk_read_bytes_total', 'rate'),
      one('written', 'second', 'glovebox_host_disk_written_bytes_total', 'rate'),
    ],
  },
  {
    title: 'Containers: processor',
    format: percent,
    asks: [one('all containers', 'first', 'glovebox_container_cpu_seconds_total', 'rate')],
  },
  {
    title: 'Requests to routes',
    format: (value) => `${figure(value)}/s`,
    asks: [
      one('requests', 'first', 'glovebox_route_requests_total', 'rate'),
      one('failures', 'bad', 'glovebox_route_failures_total', 'rate'),
    ],
  },
  {
    title: 'Time to answer',
    format: (value) => `${figure(value * 1000)} ms`,
    asks: [
      one('half within', 'first', 'glovebox_route_latency_seconds_bucket', 'quantile', { quantile: 0.5 }),
      one('99% within', 'second', 'glovebox_route_latency_seconds_bucket', 'quantile', { quantile: 0.99 }),
    ],
  },
]

function ofStack(stack: string): readonly Drawn[] {
  const where = `{stack=${quoted(stack)}}`
  const each = (title: string, selector: string, fn: Ask['fn']): Ask => ({
    title,
    tone: 'first',
    selector: `${selector}${where}`,
    fn,
    by: ['service'],
  })
  return [
    {
      title: 'Processor, by service',
      format: percent,
      asks: [each('processor', 'glovebox_container_cpu_seconds_total', 'rate')],
    },
    { title: 'Memory, by service', format: bytes, asks: [each('memory', 'glovebox_container_memory_working_set_bytes', 'avg')] },
    {
      title: 'Network in, by service',
      format: rate,
      asks: [each('in', 'glovebox_container_network_received_bytes_total', 'rate')],
    },
    {
      title: 'Network out, by service',
      format: rate,
      asks: [each('out', 'glovebox_container_network_sent_bytes_total', 'rate')],
    },
    {
      title: 'Written to disks, by service',
      format: rate,
      asks: [each('written', 'glovebox_container_io_written_bytes_total', 'rate')],
    },
    { title: 'Processes and threads, by service', format: figure, asks: [each('pids', 'glovebox_container_pids', 'avg')] },
  ]
}
