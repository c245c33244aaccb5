import type { Clock } from '#base'
import type { RevisionTraffic } from '#cluster/routes'
import type { RouteMetrics, RouteSample } from '#cluster/services'
import { metricsBetween, percentile, type BackendMetrics, type Router } from '#traffic/router'

/** Services are planned at each change of anything, and reading means to ask the proxy for all that it has. */
const READ_EVERY_MS = 500

/** What the router counted of two revisions since a step of a rollout began, or since this daemon first looked. `traffic`: where they are counted apart now. */
export function canaryMetrics(
  router: Pick<Router, 'metrics'>,
  traffic: () => readonly RevisionTraffic[],
  clock: Clock,
): RouteMetrics {
  const baselines = new Map<string, { readonly sinceMs: number; readonly metrics: readonly BackendMetrics[] }>()
  let last: { readonly atMs: number; readonly metrics: readonly BackendMetrics[] } | undefined
  const read = async (): Promise<readonly BackendMetrics[]> => {
    if (last === undefined || clock.monotonicMs() - last.atMs >= READ_EVERY_MS)
      last = { atMs: clock.monotonicMs(), metrics: await router.metrics.read() }
    return last.metrics
  }
  return {
    compare: async ({ serviceId, oldRevision, newRevision, sinceMs, percentile: ratio }) => {
      const now = await read()
      const baseline = baselines.get(serviceId)
      const own = traffic().filter((one) => one.serviceId === serviceId)
      // One for each service at most.
      if (baseline?.sinceMs !== sinceMs) {
        baselines.set(serviceId, { sinceMs, metrics: now })
        return undefined
      }
      const groups = metricsBetween(baseline.metrics, now)
      const sampleOf = (revision: number): RouteSample => {
        const places = new Set(own.filter((one) => one.revision === revision).map(({ routeId, group }) => `${routeId} ${group}`))
        const counted = groups.filter(({ routeId, group }) => places.has(`${routeId} ${group}`))
        const latencies = counted.flatMap(({ latency }) => percentile(latency, ratio) ?? [])
        return {
          requests: counted.reduce((sum, { counts }) => sum + counts.requests, 0),
          errors: counted.reduce((sum, { counts }) => sum + counts.responses5xx + counts.failures, 0),
          latencyMs: latencies.length === 0 ? null : Math.max(...latencies),
        }
      }
      return { old: sampleOf(oldRevision ?? 0), new: sampleOf(newRevision) }
    },
  }
}
