import type { RoutesPort, WireRouteFigures } from '#api/glovebox'
import { metricsBetween, percentile, routeError, type GroupMetrics, type Router } from '#traffic/router'

export function routesPort(router: Router): RoutesPort {
  return {
    list: async () => await router.routes(),
    inspect: async (id) => {
      const route = (await router.routes()).find((candidate) => candidate.id === id)
      if (route === undefined) throw routeError('route.not_found', `no such route: ${id}`)
      const all = metricsBetween([], await router.metrics.read())
      return { ...route, figures: all.filter((metrics) => metrics.routeId === id).map(figuresOf) }
    },
    shift: async (id, shares) => await router.shift(id, shares),
  }
}

function figuresOf({ group, counts, latency }: GroupMetrics): WireRouteFigures {
  const { requests, responses2xx, responses3xx, responses4xx, responses5xx, failures } = counts
  const [p50, p95, p99] = [percentile(latency, 0.5), percentile(latency, 0.95), percentile(latency, 0.99)]
  const latencyMs = p50 === null || p95 === null || p99 === null ? null : { p50, p95, p99 }
  return { group, requests, responses2xx, responses3xx, responses4xx, responses5xx, failures, latencyMs }
}
