import type { JSX } from 'preact'

import { useLive } from '../base/app-context.ts'
import { figure, percent } from '../base/format.ts'
import { to } from '../base/place.ts'
import { Badge } from '../parts/badge.tsx'
import { Empty, Facts, PageHead, Panel } from '../parts/panel.tsx'
import { QueryPlot } from '../parts/query-plot.tsx'
import { Why } from '../parts/why.tsx'
import { addressesOf, routeShown } from './routes.tsx'

/** One route: who answers, and how well. */
export function Route({ id }: { readonly id: string }): JSX.Element {
  const { routes, host, containers } = useLive('routes', 'host', 'containers')
  const route = routes.get(id)
  if (route === undefined)
    return (
      <>
        <PageHead title={id} over={<a href={to('routes')}>Routes</a>} />
        <Empty>{host.size === 0 ? 'Loading…' : 'There is no such route (any more).'}</Empty>
      </>
    )
  const shown = routeShown(route)
  const byAddress = new Map(
    [...containers.values()].flatMap((one) => Object.values(one.addresses).map((address) => [address, one] as const)),
  )
  return (
    <>
      <PageHead title={id} over={<a href={to('routes')}>Routes</a>}>
        <Badge tone={shown.tone}>{shown.text}</Badge>
      </PageHead>
      {route.problem !== null && <p class="refusal">{route.problem}</p>}
      {shown.tone === 'bad' && <Why name={id} />}
      <Panel title="Comes in">
        <Facts
          of={[
            ['At', addressesOf(route)],
            ['Speaks', route.mode],
            ['TLS', route.certificate === null ? 'none' : `ended here, certificate: ${route.certificate}`],
            ['Shares', route.isShifted ? 'set by hand' : 'as written down'],
          ]}
        />
      </Panel>
      <Panel title="Who answers" aside={`${route.backends.length} tasks`}>
        {route.backends.length === 0 ? (
          <Empty>Nobody: clients get an error.</Empty>
        ) : (
          <ul class="lines">
            {route.backends.map((backend) => {
              const container = byAddress.get(backend.address)
              const isGood = backend.isUp && backend.state === 'ready'
              return (
                <li key={backend.id}>
                  {container === undefined ? (
                    <code>
                      {backend.address}:{backend.port}
                    </code>
                  ) : (
                    <a class="subject" href={to('containers', container.id)}>
                      {container.name}
                    </a>
                  )}
                  <Badge tone={isGood ? 'good' : backend.isUp ? 'busy' : 'bad'}>
                    {backend.isUp ? backend.state : 'does not answer'}
                  </Badge>
                  <span class="soft">{backend.group}</span>
                  <span class="end">
                    {percent(backend.share)} of the requests, {backend.connections} connections
                  </span>
                </li>
              )
            })}
          </ul>
        )}
      </Panel>
      {route.rates.length > 0 && (
        <Panel title="Now">
          <ul class="lines">
            {route.rates.map((rate) => (
              <li key={rate.group}>
                <b>{rate.group === '' ? 'the router itself' : rate.group}</b>
                <span>{figure(rate.requestsPerS)} requests/s</span>
                <span>{percent(rate.errorRatio)} errors</span>
                <span class="soft end">
                  {rate.p50Ms === null ? '' : `half within ${figure(rate.p50Ms)} ms, `}
                  {rate.p99Ms === null ? '' : `99% within ${figure(rate.p99Ms)} ms`}
                </span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <div class="plots">
        <QueryPlot
          title="Requests per second, the last hour"
          asks={[
            { title: 'requests', tone: 'first', selector: `glovebox_route_requests_total{route="${id}"}`, fn: 'rate', by: [] },
          ]}
          format={(value) => `${figure(value)}/s`}
        />
        <QueryPlot
          title="Time to answer, the last hour"
          asks={[
            {
              title: 'half within',
              tone: 'first',
              selector: `glovebox_route_latency_seconds_bucket{route="${id}"}`,
              fn: 'quantile',
              quantile: 0.5,
              by: [],
            },
            {
              title: '99% within',
              tone: 'second',
              selector: `glovebox_route_latency_seconds_bucket{route="${id}"}`,
              fn: 'quantile',
              quantile: 0.99,
              by: [],
            },
          ]}
          format={(value) => `${figure(value * 1000)} ms`}
        />
      </div>
    </>
  )
}
