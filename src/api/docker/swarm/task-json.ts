import { isEnded, type PublishedTaskPort, type RevisionRecord, type TaskRecord } from '#cluster/model'
import type { Versioned } from '#cluster/services'
import type { ContainerRecord } from '#engine/containers'
import type { Network } from '#engine/network'

import { attachmentsJson } from './attachment-json.ts'
import { isoTime } from './iso-time.ts'
import { taskSpecJson } from './spec-json.ts'

/** Of this machine. */
export interface TaskSurroundings {
  readonly networks: readonly Network[]
  readonly containers: readonly ContainerRecord[]
}

/** Task of the API description. `revision`: what it was made from. */
export function taskJson(
  { record, version }: Versioned<TaskRecord>,
  revision: RevisionRecord | undefined,
  { networks, containers }: TaskSurroundings,
) {
  const isJob = record.runId !== null
  const attachments = attachmentsJson(record, networks)
  return {
    ID: record.id,
    Version: { Index: version },
    CreatedAt: isoTime(record.createdAtMs),
    UpdatedAt: isoTime(record.updatedAtMs),
    Labels: {},
    Spec: taskSpecJson(revision),
    ServiceID: record.serviceId,
    ...(record.slot === null ? {} : { Slot: record.slot }),
    ...(record.nodeId === null ? {} : { NodeID: record.nodeId }),
    Status: statusJson(
      record,
      containers.find(({ id }) => id === record.status.containerId),
    ),
    DesiredState: desiredState(record),
    ...(attachments.length === 0 ? {} : { NetworksAttachments: attachments }),
    ...(isJob ? { JobIteration: { Index: record.revision } } : {}),
  }
}

/** Tasks of jobs are wanted until they are complete; of others nothing more is wanted once they have ended. */
export function desiredState({ desiredState: wanted, runId, status }: TaskRecord): string {
  if (runId === null && wanted === 'running' && isEnded(status.state)) return 'shutdown'
  return runId !== null && wanted === 'running' ? 'complete' : wanted
}

function statusJson(record: TaskRecord, container: ContainerRecord | undefined) {
  const { status } = record
  const isStarted = status.containerId !== null
  const error = errorOf(record)
  const ports: readonly PublishedTaskPort[] = container?.status.ports ?? status.hostPorts
  return {
    Timestamp: isoTime(status.sinceMs),
    State: status.state,
    Message: status.message || status.state,
    ...(error === '' ? {} : { Err: error }),
    ...(isStarted
      ? { ContainerStatus: { ContainerID: status.containerId, PID: container?.status.pid ?? 0, ExitCode: status.exitCode ?? 0 } }
      : {}),
    PortStatus: ports.length === 0 ? {} : { Ports: ports.map(portJson) },
  }
}

/** Why it is not running, in the words that clients know where they have some. */
function errorOf({ status, placement }: TaskRecord): string {
  if (status.error !== '') return status.error
  if (status.state === 'new' || status.state === 'pending') return placement
  return status.state === 'failed' && status.exitCode !== null ? `task: non-zero exit (${status.exitCode})` : ''
}

function portJson(port: PublishedTaskPort) {
  return { Protocol: port.protocol, TargetPort: port.containerPort, PublishedPort: port.hostPort, PublishMode: 'host' }
}
