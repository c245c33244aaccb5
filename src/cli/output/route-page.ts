import type { WireRoute, WireRouteDetail, WireRouteFigures } from '#api/glovebox'

import { renderFields, renderTable } from './table.ts'

/** Where a route is reached: `https://shop.example.com/api`, `127.0.0.1:5432`. */
export function entryText({ mode, hostIp, hostPort, hosts, path, certificate }: WireRoute): string {
  const address = hostIp.includes(':') ? `[${hostIp}]` : hostIp
  if (mode === 'tcp') return [`${address}:${hostPort}`, ...hosts].join(' ')
  const scheme = certificate === null ? 'http' : 'https'
  const port = hostPort === (certificate === null ? 80 : 443) ? '' : `:${hostPort}`
  const rest = path === '/' ? '' : path.replace(/^=/, '')
  return (hosts.length === 0 ? [address === '' ? '*' : address] : hosts)
    .map((host) => `${scheme}://${host}${port}${rest}`)
    .join(' ')
}

/** `2/3 ready`, and the parts of the groups where there are several. */
export function answersText({ backends }: WireRoute): string {
  const ready = backends.filter((backend) => backend.state === 'ready' && backend.isUp)
  return `${ready.length}/${backends.length} ready`
}

export function sharesText({ groups, isShifted, backends }: WireRoute): string {
  const parts = groups.map(({ name }) => {
    const share = backends.filter((backend) => backend.group === name).reduce((sum, backend) => sum + backend.share, 0)
    return `${name} ${percent(share)}`
  })
  return `${parts.join(', ')}${isShifted ? ' (by hand)' : ''}`
}

const BACKEND_COLUMNS = [
  { title: 'BACKEND' },
  { title: 'GROUP' },
  { title: 'ADDRESS' },
  { title: 'STATE' },
  { title: 'SHARE', align: 'right' },
  { title: 'CONNECTIONS', align: 'right' },
] as const
const FIGURE_COLUMNS = [
  { title: 'GROUP' },
  { title: 'REQUESTS', align: 'right' },
  { title: '2XX', align: 'right' },
  { title: '3XX', align: 'right' },
  { title: '4XX', align: 'right' },
  { title: '5XX', align: 'right' },
  { title: 'FAILED', align: 'right' },
  { title: 'P50', align: 'right' },
  { title: 'P95', align: 'right' },
  { title: 'P99', align: 'right' },
] as const

export function routePage(route: WireRouteDetail): string {
  const fields = renderFields([
    ['route', route.id],
    ['reached at', entryText(route).replaceAll(' ', '\n')],
    ['mode', route.mode],
    ['certificate', route.certificate ?? 'none'],
    ['shares', sharesText(route) || 'even'],
    ['problem', route.problem ?? 'none'],
  ])
  const backends = route.backends.map((backend) => [
    backend.id,
    backend.group,
    backend.address.includes(':') ? `[${backend.address}]:${backend.port}` : `${backend.address}:${backend.port}`,
    backend.state === 'ready' && !backend.isUp ? 'down' : backend.state,
    percent(backend.share),
    String(backend.connections),
  ])
  return [fields, renderTable(BACKEND_COLUMNS, backends), renderTable(FIGURE_COLUMNS, route.figures.map(figureRow))].join('\n')
}

function figureRow(figures: WireRouteFigures): readonly string[] {
  const { group, requests, responses2xx, responses3xx, responses4xx, responses5xx, failures, latencyMs } = figures
  const times = latencyMs === null ? ['', '', ''] : [latencyMs.p50, latencyMs.p95, latencyMs.p99].map(milliseconds)
  const counts = [requests, responses2xx, responses3xx, responses4xx, responses5xx, failures].map(String)
  return [group === '' ? '(itself)' : group, ...counts, ...times]
}

/** HAProxy counts whole milliseconds. */
function milliseconds(ms: number): string {
  return ms < 1 ? '<1 ms' : `${Math.round(ms)} ms`
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`
}
