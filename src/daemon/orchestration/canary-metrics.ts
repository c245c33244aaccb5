import type { RouteMetrics, RouteSample } from '#cluster/services'
import { metricsBetween, percentile, type BackendMetrics, type Router } from '#traffic/router'

import { groupOf } from './service-routes.ts'

/** What the router counted of two revisions since a step of a rollout began, or since this daemon first looked. */
export function canaryMetrics(router: Pick<Router, 'metrics'>, nameOf: (serviceId: string) => string | undefined): RouteMetrics {
  const baselines = new Map<string, { readonly sinceMs: number; readonly metrics: readonly BackendMetrics[] }>()
  return {
    compare: async ({ serviceId, oldRevision, newRevision, sinceMs, percentile: ratio }) => {
      const name = nameOf(serviceId)
      const now = await router.metrics.read()
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
        return {
          requests: own.reduce((sum, { counts }) => sum + counts.requests, 0),
          errors: own.reduce((sum, { counts }) => sum + counts.responses5xx + counts.failures, 0),
          latencyMs: own.length === 0 ? null : Math.max(...own.map(({ latency }) => percentile(latency, ratio) ?? 0)),
        }
      }
      return { old: sampleOf(oldRevision ?? 0), new: sampleOf(newRevision) }
    },
  }
}
