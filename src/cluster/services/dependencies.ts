import type { DependencySpec } from '#cluster/spec'

import { isReadyTask, isRunning, isStaying, targetOf, type ClusterState, type ServiceState } from './service-state.ts'

/**
 * Why a task of the service may not start yet; null: it may. A new task waits for its dependencies as they are wanted now; one in the place of another that
 * ended is content with what runs of them. One ready task of a service is enough: a service that lost some of its tasks still serves.
 */
export function blockedBy(state: ServiceState, cluster: ClusterState, isNew: boolean): string | null {
  const { stack } = state.service
  const dependsOn = targetOf(state)?.spec.dependsOn ?? []
  if (stack === null || dependsOn.length === 0) return null
  for (const dependency of dependsOn) {
    const other = [...cluster.services.values()].find(
      (candidate) => candidate.service.stack === stack && targetOf(candidate)?.spec.name === dependency.service,
    )
    if (other === undefined || other.service.state === 'removing') continue
    const reason = unmet(dependency, other, isNew)
    if (reason !== null) return reason
  }
  return null
}

function unmet({ service: name, condition }: DependencySpec, other: ServiceState, isNew: boolean): string | null {
  const target = targetOf(other)
  if (target === undefined) return null
  const isJob = target.spec.job !== null
  const wanted = target.spec.mode === 'global' ? 1 : other.service.replicas
  if (!isJob && wanted === 0) return null
  const tasks = other.tasks.filter((task) => !isNew || other.revisions.get(task.revision)?.templateHash === target.templateHash)
  switch (condition) {
    case 'started':
      return tasks.some((task) => isRunning(task) || task.status.state === 'complete')
        ? null
        : `waits for service ${name} to start`
    case 'healthy': {
      const ready = tasks.filter(isReadyTask)
      const hasChecks = target.spec.checks.readiness !== null || target.spec.checks.startup !== null
      if (ready.some((task) => hasChecks || task.status.health === 'healthy')) return null
      return ready.length === 0
        ? `waits for service ${name} to be healthy`
        : `waits for service ${name} to be healthy, but it has no health check: give it one, or depend on service_started`
    }
    case 'completed_successfully': {
      if (isJob)
        return other.runs.some((run) => run.state === 'succeeded' && (!isNew || run.revision === target.number))
          ? null
          : `waits for service ${name} to complete`
      const completed = tasks.filter((task) => task.status.state === 'complete' && isStaying(task)).length
      return completed >= wanted ? null : `waits for service ${name} to complete`
    }
  }
}
