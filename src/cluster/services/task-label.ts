import type { TaskRecord } from '#cluster/model'

import type { ServiceState } from './service-state.ts'

/** What people call a task: the name that its container has where there is a stack, `web.1` otherwise. */
export function taskLabel({ service, revisions }: ServiceState, task: Pick<TaskRecord, 'revision' | 'slot' | 'nodeId'>): string {
  const spec = revisions.get(task.revision)?.spec
  if (spec?.containerName !== null && spec?.containerName !== undefined) return spec.containerName
  const place = task.slot ?? task.nodeId ?? '?'
  return service.stack === null || spec === undefined ? `${service.name}.${place}` : `${service.stack}-${spec.name}-${place}`
}
