import type { Clock } from '#base'
import type { LiveRoute, LiveRouteRate } from '#dashboard/wire'
import { metricsBetween, percentile, type BackendMetrics, type GroupMetrics, type Router } from '#traffic/router'

const SECOND = 1000

/** Routes with what each did since the reading before. */
export function routeRates(
  router: Pick<Router, 'routes' | 'metrics'>,
  clock: Clock,
): () => Promise<ReadonlyMap<string, LiveRoute>> {
  let before: { readonly metrics: readonly BackendMetrics[]; readonly atMs: number } | undefined
  let rates: ReadonlyMap<string, readonly LiveRouteRate[]> = new Map()
  return async () => {
    const [routes, metrics] = await Promise.all([router.routes(), router.metrics.read()])
    const atMs = clock.monotonicMs()
    const elapsedMs = before === undefined ? 0 : atMs - before.atMs
    // The router counts each second: asked again sooner, there is nothing to tell of.
    if (before === undefined) before = { metrics, atMs }
    else if (elapsedMs >= SECOND) {
      const groups = Map.groupBy(metricsBetween(before.metrics, metrics), ({ routeId }) => routeId)
      rates = new Map([...groups].map(([id, list]) => [id, list.map((group) => rateOf(group, elapsedMs))]))
      before = { metrics, atMs }
    }
    return new Map(routes.map((route) => [route.id, { ...route, rates: rates.get(route.id) ?? [] }]))
  }
}

function rateOf({ group, counts, latency }: GroupMetrics, elapsedMs: number): LiveRouteRate {
  const { requests, responses5xx, failures } = counts
  return {
    group,
    requestsPerS: Math.round((requests * SECOND * 10) / elapsedMs) / 10,
    errorRatio: requests === 0 ? 0 : Math.min(1, (responses5xx + failures) / requests),
    p50Ms: percentile(latency, 0.5),
    p99Ms: percentile(latency, 0.99),
  }
}
