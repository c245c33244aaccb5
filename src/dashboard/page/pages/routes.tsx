import type { JSX } from 'preact'

import type { LiveRoute } from '#dashboard/wire'

import { useLive } from '../base/app-context.ts'
import { figure, percent } from '../base/format.ts'
import { to } from '../base/place.ts'
import type { Shown } from '../base/tones.ts'
import { Badge } from '../parts/badge.tsx'
import { PageHead } from '../parts/panel.tsx'
import { Table, type Column } from '../parts/table.tsx'

/** Where traffic comes in. */
export function Routes(): JSX.Element {
  const { routes } = useLive('routes')
  return (
    <>
      <PageHead title="Routes" over={`${routes.size} in all`} />
      <div class="panel">
        <Table
          label="Routes"
          rows={[...routes.values()]}
          columns={COLUMNS}
          rowKey={({ id }) => id}
          href={({ id }) => to('routes', id)}
          sortedBy="name"
          empty="Nothing comes in through the router: no application publishes a port or a host."
        />
      </div>
    </>
  )
}

export function routeShown({ problem, backends }: LiveRoute): Shown {
  if (problem !== null) return { tone: 'bad', text: 'problem' }
  const up = backends.filter(({ isUp, state }) => isUp && state === 'ready').length
  return up === 0 ? { tone: 'bad', text: 'nobody answers' } : { tone: 'good', text: 'served' }
}

/** What one types to get there. */
export function addressesOf({ mode, hosts, path, hostIp, hostPort, certificate }: LiveRoute): string {
  if (mode === 'tcp') return `${hostIp === '' ? '*' : hostIp}:${hostPort}`
  const scheme = certificate === null ? 'http' : 'https'
  const port = hostPort === (certificate === null ? 80 : 443) ? '' : `:${hostPort}`
  const names = hosts.length === 0 ? [hostIp === '' ? '*' : hostIp] : hosts
  return names.map((name) => `${scheme}://${name}${port}${path === '/' ? '' : path}`).join(', ')
}

export function totals({ rates }: LiveRoute): {
  readonly requestsPerS: number
  readonly errorRatio: number
  readonly p99Ms: number | null
} {
  const requestsPerS = rates.reduce((sum, rate) => sum + rate.requestsPerS, 0)
  const errors = rates.reduce((sum, rate) => sum + rate.requestsPerS * rate.errorRatio, 0)
  const slowest = rates.flatMap(({ p99Ms }) => p99Ms ?? [])
  return {
    requestsPerS,
    errorRatio: requestsPerS === 0 ? 0 : errors / requestsPerS,
    p99Ms: slowest.length === 0 ? null : Math.max(...slowest),
  }
}

const COLUMNS: readonly Column<LiveRoute>[] = [
  { key: 'name', title: 'Route', width: 'minmax(86px, 1.2fr)', cell: ({ id }) => id, sort: ({ id }) => id },
  {
    key: 'state',
    title: 'State',
    width: '134px',
    cell: (route) => {
      const { tone, text } = routeShown(route)
      return <Badge tone={tone}>{text}</Badge>
    },
    sort: (route) => routeShown(route).text,
  },
  { key: 'address', title: 'Comes in at', width: 'minmax(140px, 1.6fr)', cell: (route) => addressesOf(route), isExtra: true },
  {
    key: 'tasks',
    title: 'Answer',
    width: '72px',
    cell: ({ backends }) => backends.length,
    sort: ({ backends }) => backends.length,
    isNumber: true,
    isExtra: true,
  },
  {
    key: 'rate',
    title: 'Requests',
    width: '80px',
    cell: (route) => `${figure(totals(route).requestsPerS)}/s`,
    sort: (route) => totals(route).requestsPerS,
    isNumber: true,
  },
  {
    key: 'errors',
    title: 'Errors',
    width: '72px',
    cell: (route) => percent(totals(route).errorRatio),
    sort: (route) => totals(route).errorRatio,
    isNumber: true,
    isExtra: true,
  },
  {
    key: 'p99',
    title: '99% within',
    width: '92px',
    cell: (route) => {
      const { p99Ms } = totals(route)
      return p99Ms === null ? '–' : `${figure(p99Ms)} ms`
    },
    isNumber: true,
    isExtra: true,
  },
]
