import type { RangeFunction, RangeSeries } from '#api/glovebox'
import type { Client } from '#client'

import { binarySize } from './output/human.ts'
import { sparkline } from './output/sparkline.ts'

/** One thing that is shown of a container or a service. */
export interface Figure {
  /** In JSON. */
  readonly key: string
  readonly title: string
  readonly metric: string
  readonly fn: RangeFunction
  readonly text: (value: number) => string
  /** Further matchers of the selector. */
  readonly where?: string
}

const perSecond = (value: number) => `${binarySize(value)}/s`
const percent = (value: number) => `${(value * 100).toFixed(value < 0.1 ? 2 : 1)}%`
const count = (value: number) => String(Math.round(value))
const rate = (value: number) => `${Number(value.toPrecision(3))}/s`
const time = (value: number) => (value < 1 ? `${Number((value * 1000).toPrecision(3))} ms` : `${Number(value.toPrecision(3))} s`)

/** Of containers; those of a service are added up. */
export const FIGURES: readonly Figure[] = [
  { key: 'cpu', title: 'CPU', metric: 'glovebox_container_cpu_seconds_total', fn: 'rate', text: percent },
  {
    key: 'throttled',
    title: 'CPU THROTTLED',
    metric: 'glovebox_container_cpu_throttled_seconds_total',
    fn: 'rate',
    text: percent,
  },
  { key: 'memoryBytes', title: 'MEMORY', metric: 'glovebox_container_memory_working_set_bytes', fn: 'avg', text: binarySize },
  {
    key: 'receivedBytes',
    title: 'NETWORK IN',
    metric: 'glovebox_container_network_received_bytes_total',
    fn: 'rate',
    text: perSecond,
  },
  { key: 'sentBytes', title: 'NETWORK OUT', metric: 'glovebox_container_network_sent_bytes_total', fn: 'rate', text: perSecond },
  { key: 'readBytes', title: 'DISK READ', metric: 'glovebox_container_io_read_bytes_total', fn: 'rate', text: perSecond },
  { key: 'writtenBytes', title: 'DISK WRITE', metric: 'glovebox_container_io_written_bytes_total', fn: 'rate', text: perSecond },
  { key: 'pids', title: 'PROCESSES', metric: 'glovebox_container_pids', fn: 'avg', text: count },
  { key: 'restarts', title: 'RESTARTS', metric: 'glovebox_container_restarts_total', fn: 'last', text: count },
  { key: 'oomKills', title: 'OOM KILLS', metric: 'glovebox_container_oom_kills_total', fn: 'last', text: count },
]

/** Of routes. */
export const ROUTE_FIGURES: readonly Figure[] = [
  { key: 'requests', title: 'REQUESTS', metric: 'glovebox_route_requests_total', fn: 'rate', text: rate },
  { key: 'errors', title: 'ERRORS', metric: 'glovebox_route_responses_total', fn: 'rate', text: rate, where: 'code="5xx"' },
  { key: 'latencySeconds', title: 'LATENCY P95', metric: 'glovebox_route_latency_seconds_bucket', fn: 'quantile', text: time },
]

/** What is shown: a service, a container that is of none, or a route. */
export interface Subject {
  readonly name: string
  readonly kind: 'service' | 'container' | 'route'
  /** By the keys of figures; what nothing is known of is not there. */
  readonly figures: Readonly<Record<string, readonly (number | null)[]>>
}

export interface Window {
  readonly fromMs: number
  readonly toMs: number
  readonly stepS: number
}

/** Characters of a plot: half a terminal. */
export const PLOT_WIDTH = 30
const LEAST_STEP_S = 10

export function windowOf(nowMs: number, sinceMs: number): Window {
  const stepS = Math.max(LEAST_STEP_S, Math.ceil(sinceMs / 1000 / PLOT_WIDTH))
  // Whole steps, so that who looks again sees the same figures move to the left.
  const toMs = Math.floor(nowMs / 1000 / LEAST_STEP_S) * LEAST_STEP_S * 1000
  return {
    fromMs: toMs - (Math.min(PLOT_WIDTH, Math.max(1, Math.floor(sinceMs / 1000 / stepS))) - 1) * stepS * 1000,
    toMs,
    stepS,
  }
}

/** `name`: a service, `STACK/SERVICE`, a container or a route; null: everything. */
export async function subjectsOf(
  client: Pick<Client, 'metrics'>,
  name: string | null,
  window: Window,
): Promise<readonly Subject[]> {
  const ask = async (figure: Figure, by: readonly string[]) => {
    const selector = figure.where === undefined ? figure.metric : `${figure.metric}{${figure.where}}`
    return { figure, series: (await client.metrics.range({ selector, fn: figure.fn, by, ...window })).series }
  }
  const found = new Map<string, { readonly subject: Subject; readonly figures: Record<string, readonly (number | null)[]> }>()
  const add = (figure: Figure, subject: Omit<Subject, 'figures'>, { values }: RangeSeries) => {
    const key = `${subject.kind} ${subject.name}`
    const figures = found.get(key)?.figures ?? {}
    figures[figure.key] = sumOf(figures[figure.key], values)
    found.set(key, { subject: { ...subject, figures }, figures })
  }
  for (const { figure, series } of await Promise.all(
    FIGURES.map(async (one) => await ask(one, ['stack', 'service', 'container'])),
  ))
    for (const one of series) if (isAbout(one.labels, name)) add(figure, nameOf(one.labels), one)
  for (const { figure, series } of await Promise.all(ROUTE_FIGURES.map(async (one) => await ask(one, ['route']))))
    for (const one of series) {
      const route = one.labels['route'] ?? ''
      if (name === null || route === name || route.startsWith(`${name}/`)) add(figure, { name: route, kind: 'route' }, one)
    }
  return [...found.values()].map(({ subject }) => subject).sort((a, b) => (a.kind + a.name < b.kind + b.name ? -1 : 1))
}

function nameOf(labels: RangeSeries['labels']): Omit<Subject, 'figures'> {
  const { stack = '', service = '', container = '' } = labels
  if (service === '') return { name: container, kind: 'container' }
  return { name: stack === '' ? service : `${stack}/${service}`, kind: 'service' }
}

function isAbout(labels: RangeSeries['labels'], name: string | null): boolean {
  const { stack = '', service = '', container = '' } = labels
  return name === null || [container, service, stack, `${stack}/${service}`].includes(name)
}

function sumOf(known: readonly (number | null)[] | undefined, values: readonly (number | null)[]): readonly (number | null)[] {
  if (known === undefined) return values
  return values.map((value, index) => {
    const before = known[index] ?? null
    return value === null ? before : before === null ? value : before + value
  })
}

/** The newest that is known; null: nothing is. */
export function lastOf(values: readonly (number | null)[] | undefined): number | null {
  return values?.findLast((value) => value !== null) ?? null
}

export function textOf(figure: Figure, value: number | null): string {
  return value === null ? '-' : figure.text(value)
}

/** Lines of a page on one subject: now, on average, at most, and how it came. */
export function pageRows({ figures, kind }: Subject): readonly (readonly string[])[] {
  return (kind === 'route' ? ROUTE_FIGURES : FIGURES).flatMap((figure) => {
    const values = figures[figure.key]
    const known = (values ?? []).filter((value) => value !== null)
    if (values === undefined || known.length === 0) return []
    const average = known.reduce((sum, value) => sum + value, 0) / known.length
    const most = known.reduce((highest, value) => Math.max(highest, value), -Infinity)
    return [[figure.title, textOf(figure, lastOf(values)), textOf(figure, average), textOf(figure, most), sparkline(values)]]
  })
}
