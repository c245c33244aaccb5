import type { DependencySpec } from '#cluster/spec'
import { isCompleted, isReady, type ServiceView, type StackView, type TaskView } from './stack-view.ts'

/**
 * Why a task of `service` may not start yet; null: it may. A new task waits for its dependencies as they are wanted now; one that merely
 * starts again is content with what runs of them. One ready task of a service is enough: a service that lost some of its tasks still serves.
 */
export function blockedBy(stack: StackView, service: ServiceView, isNew: boolean): string | null {
  for (const dependency of service.spec.dependsOn) {
    const other = stack.services.find((candidate) => candidate.spec.name === dependency.service)
    if (other === undefined || other.spec.replicas === 0) continue
    const tasks = isNew ? other.tasks.filter((view) => view.isCurrent) : other.tasks
    const reason = unmet(dependency, other, tasks)
    if (reason !== null) return reason
  }
  return null
}

function unmet({ service: name, condition }: DependencySpec, other: ServiceView, tasks: readonly TaskView[]): string | null {
  switch (condition) {
    case 'started':
      return tasks.some((view) => view.task.state === 'running' || isCompleted(view))
        ? null
        : `waits for service ${name} to start`
    case 'healthy':
      if (tasks.some((view) => isReady(view) && view.task.health === 'healthy')) return null
      if (tasks.some((view) => isReady(view)))
        return `waits for service ${name} to be healthy, but it has no health check: give it one, or depend on service_started`
      return `waits for service ${name} to be healthy`
    case 'completed_successfully':
      return tasks.filter(isCompleted).length >= other.spec.replicas ? null : `waits for service ${name} to complete`
  }
}
