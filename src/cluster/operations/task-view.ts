import type { NodeRecord, TaskRecord } from '#cluster/model'
import type { ServiceSight } from '#cluster/services'

import { titleOf } from './service-view.ts'

/** A task as people see it in a list. */
export interface TaskView {
  readonly id: string
  /** `shop/web.2`; of a global service with the name of its node. */
  readonly name: string
  /** `shop/web`. */
  readonly service: string
  readonly revision: number
  /** Hostname; null: it has none yet. */
  readonly node: string | null
  readonly state: TaskRecord['status']['state']
  readonly desiredState: TaskRecord['desiredState']
  readonly isReady: boolean
  readonly health: 'starting' | 'healthy' | 'unhealthy' | null
  readonly sinceMs: number
  readonly createdAtMs: number
  /** What it is doing or why it failed; empty: there is nothing to say. */
  readonly message: string
  readonly exitCode: number | null
  readonly containerId: string | null
  /** Ends in a row of its place before it. */
  readonly failures: number
  /** Of a run of a job. */
  readonly runId: string | null
}

export function taskView(
  task: TaskRecord,
  { record, revision }: Pick<ServiceSight, 'record' | 'revision'>,
  nodes: ReadonlyMap<string, NodeRecord>,
): TaskView {
  const { status } = task
  const service = titleOf(record, revision.spec.name)
  const node = task.nodeId === null ? null : (nodes.get(task.nodeId)?.description.hostname ?? task.nodeId)
  return {
    id: task.id,
    name: `${service}.${task.slot ?? node ?? '?'}`,
    service,
    revision: task.revision,
    node,
    state: status.state,
    desiredState: task.desiredState,
    isReady: status.isReady,
    health: status.health ?? null,
    sinceMs: status.sinceMs,
    createdAtMs: task.createdAtMs,
    message: messageOf(task),
    exitCode: status.exitCode,
    containerId: status.containerId,
    failures: task.failures ?? 0,
    runId: task.runId,
  }
}

function messageOf({ status, placement, nodeId, desiredState, reason }: TaskRecord): string {
  if (status.error !== '') return status.error
  if (nodeId === null) return placement
  if (desiredState === 'shutdown' || desiredState === 'remove') return reason ?? ''
  return status.state === 'running' ? '' : status.message
}
