import { familyWriters, histogramSamples, joinLabels, labelText, type MetricSource, type MetricSpec } from '#observe/metrics'
import { LATENCY_BOUNDS_MS, metricsBetween, type GroupMetrics, type Router, type RouteStatus } from '#traffic/router'

const counter = (name: string, help: string): MetricSpec => ({ name, help, type: 'counter', isKept: true })
const gauge = (name: string, help: string): MetricSpec => ({ name, help, type: 'gauge', isKept: true })

const SPECS = {
  requests: counter('glovebox_route_requests_total', 'Requests of a route; of tcp its connections.'),
  responses: counter('glovebox_route_responses_total', 'Answers by class of status.'),
  failures: counter('glovebox_route_failures_total', 'Connections that failed, and requests that got no answer or half of one.'),
  retries: counter('glovebox_route_retries_total', 'Attempts that went on to another task.'),
  received: counter('glovebox_route_received_bytes_total', 'Bytes that came from clients.'),
  sent: counter('glovebox_route_sent_bytes_total', 'Bytes that went to clients.'),
  latency: {
    name: 'glovebox_route_latency_seconds',
    type: 'histogram',
    help: 'From the head of a request at its task to the head of the answer.',
    isKept: true,
  },
  queued: gauge('glovebox_route_queued_requests', 'Requests that wait for a task that has room.'),
  connections: gauge('glovebox_route_connections', 'Connections to tasks that are open.'),
  backends: gauge('glovebox_route_backends', 'Tasks behind a route by state.'),
  served: gauge('glovebox_route_served', 'Whether a route is served in full; 0: it has a problem.'),
} as const

type Writers = ReturnType<typeof familyWriters<keyof typeof SPECS>>['of']

/** Of the router's own forty, as many as plots need; all of them would be most of the series of a machine. */
const BOUNDS_MS: ReadonlySet<number> = new Set([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000])
/** Routes of one machine; each is a few dozen series. */
const MAX_ROUTES = 500

/** What comes in, by route and revision. */
export function routeSource(router: Pick<Router, 'metrics' | 'routes'>): MetricSource {
  return {
    name: 'routes',
    read: async () => {
      const { of, families } = familyWriters(SPECS)
      const routes = (await router.routes()).slice(0, MAX_ROUTES)
      if (routes.length === 0) return families()
      const known = new Set(routes.map(({ id }) => id))
      const read = await router.metrics.read()
      for (const metrics of metricsBetween([], read)) if (known.has(metrics.routeId)) ofGroup(of, metrics)
      for (const route of routes) {
        ofRoute(of, route)
        const queued = read.filter(({ routeId }) => routeId === route.id).reduce((sum, metrics) => sum + (metrics.queued ?? 0), 0)
        of.queued.set(labelText({ route: route.id }), queued)
      }
      return families()
    },
  }
}

function ofGroup(of: Writers, { routeId, group, counts, latency }: GroupMetrics): void {
  const labels = labelText({ route: routeId, group })
  of.requests.set(labels, counts.requests)
  for (const [code, count] of [
    ['2xx', counts.responses2xx],
    ['3xx', counts.responses3xx],
    ['4xx', counts.responses4xx],
    ['5xx', counts.responses5xx],
    ['other', counts.otherResponses],
  ] as const)
    of.responses.set(joinLabels(labels, labelText({ code })), count)
  of.failures.set(labels, counts.failures)
  of.retries.set(labels, counts.redispatches)
  of.received.set(labels, counts.bytesIn)
  of.sent.set(labels, counts.bytesOut)
  if (latency.samples === 0) return
  for (const sample of latencySamples(labels, latency.counts)) of.latency.set(sample.labels, sample.value, sample.suffix)
}

/** Fewer buckets than there are: each has what those within it have. The sum is what the middles of the buckets add up to, since none is kept. Pure. */
export function latencySamples(labels: string, counts: readonly number[]) {
  const bounds: number[] = []
  const merged: number[] = []
  let below = 0
  let sum = 0
  for (const [index, bound] of LATENCY_BOUNDS_MS.entries()) {
    const low = LATENCY_BOUNDS_MS[index - 1] ?? 0
    const count = counts[index] ?? 0
    below += count
    sum += (count * (low + bound)) / 2000
    if (!BOUNDS_MS.has(bound)) continue
    bounds.push(bound / 1000)
    merged.push(below)
    below = 0
  }
  const above = counts[LATENCY_BOUNDS_MS.length] ?? 0
  const last = LATENCY_BOUNDS_MS.at(-1) ?? 0
  return histogramSamples(labels, {
    bounds,
    counts: merged,
    sum: sum + (above * last) / 1000,
    count: counts.reduce((total, count) => total + count, 0),
  })
}

function ofRoute(of: Writers, { id, problem, backends }: RouteStatus): void {
  const labels = labelText({ route: id })
  of.served.set(labels, problem === null ? 1 : 0)
  of.connections.set(
    labels,
    backends.reduce((sum, { connections }) => sum + connections, 0),
  )
  const states = { up: 0, down: 0, draining: 0 }
  for (const { state, isUp } of backends) states[state !== 'ready' ? 'draining' : isUp ? 'up' : 'down'] += 1
  for (const [state, count] of Object.entries(states)) of.backends.set(joinLabels(labels, labelText({ state })), count)
}
