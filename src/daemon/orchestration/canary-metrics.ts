import type { Clock } from '#base'
import type { RouteMetrics, RouteSample } from '#cluster/services'
import { metricsBetween, percentile, type BackendMetrics, type Router } from '#traffic/router'

import { groupOf } from './service-routes.ts'

/** Services are planned at each change of anything, and reading means to ask the proxy for all that it has. */
const READ_EVERY_MS = 500

/** What the router counted of two revisions since a step of a rollout began, or since this daemon first looked. */
export function canaryMetrics(
  router: Pick<Router, 'metrics'>,
  nameOf: (serviceId: string) => string | undefined,
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
      const name = nameOf(serviceId)
      const now = await read()
      const baseline = baselines.get(serviceId)
      if (name === undefined) return undefined
      // One for each service at most.
      if (baseline?.sinceMs !== sinceMs) {
        baselines.set(serviceId, { sinceMs, metrics: now })
        return undefined
      }
      const groups = metricsBetween(baseline.metrics, now).filter(({ routeId }) => routeId.startsWith(`${name}/`))
      const sampleOf = (revision: number): RouteSample => {
        const own = groups.filter(({ group }) => group === groupOf(revision))
        const latencies = own.flatMap(({ latency }) => percentile(latency, ratio) ?? [])
        return {
          requests: own.reduce((sum, { counts }) => sum + counts.requests, 0),
          errors: own.reduce((sum, { counts }) => sum + counts.responses5xx + counts.failures, 0),
          latencyMs: latencies.length === 0 ? null : Math.max(...latencies),
        }
      }
      return { old: sampleOf(oldRevision ?? 0), new: sampleOf(newRevision) }
    },
  }
}
