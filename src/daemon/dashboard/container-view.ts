import { TASK_LABELS } from '#cluster/agent'
import type { LiveContainer } from '#dashboard/wire'
import type { ContainerRecord } from '#engine/containers'

/** What of a container is in lists. Nothing of its environment: passwords are there. */
export function containerView({ id, name, createdAt, spec, status }: ContainerRecord): LiveContainer {
  const { labels } = spec
  return {
    id,
    name,
    image: spec.image,
    imageId: spec.imageId,
    state: status.state,
    health: status.health?.status ?? null,
    stack: labels[TASK_LABELS.stack] || null,
    service: labels[TASK_LABELS.service] ?? null,
    taskId: labels[TASK_LABELS.task] ?? null,
    createdAt,
    startedAt: status.startedAt,
    finishedAt: status.finishedAt,
    exitCode: status.exitCode,
    isOomKilled: status.isOomKilled,
    error: status.error,
    restartCount: status.restartCount,
    hasTty: spec.process.hasTty,
    canReadLog: spec.log.driver !== 'none',
    addresses: Object.fromEntries(Object.entries(status.endpoints).map(([network, { ipAddress }]) => [network, ipAddress])),
    ports: status.ports,
  }
}
