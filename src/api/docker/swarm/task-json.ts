import type { PublishedTaskPort, RevisionRecord, TaskRecord } from '#cluster/model'
import type { Versioned } from '#cluster/services'
import type { Network } from '#engine/network'

import { attachmentsJson } from './attachment-json.ts'
import { isoTime } from './iso-time.ts'
import { taskSpecJson } from './spec-json.ts'

/** Task of the API description. `revision`: what it was made from. */
export function taskJson(
  { record, version }: Versioned<TaskRecord>,
  revision: RevisionRecord | undefined,
  networks: readonly Network[],
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
    Status: statusJson(record),
    DesiredState: desiredState(record),
    ...(attachments.length === 0 ? {} : { NetworksAttachments: attachments }),
    ...(isJob ? { JobIteration: { Index: record.revision } } : {}),
  }
}

/** Tasks of jobs are wanted until they are complete. */
export function desiredState({ desiredState: wanted, runId }: TaskRecord): string {
  return runId !== null && wanted === 'running' ? 'complete' : wanted
}

function statusJson({ status, placement }: TaskRecord) {
  const isStarted = status.containerId !== null
  const isUnplaced = status.state === 'new' || status.state === 'pending'
  return {
    Timestamp: isoTime(status.sinceMs),
    State: status.state,
    Message: status.message || status.state,
    ...(status.error === '' ? (isUnplaced && placement !== '' ? { Err: placement } : {}) : { Err: status.error }),
    ...(isStarted ? { ContainerStatus: { ContainerID: status.containerId, PID: 0, ExitCode: status.exitCode ?? 0 } } : {}),
    ...(status.hostPorts.length === 0 ? {} : { PortStatus: { Ports: status.hostPorts.map(portJson) } }),
  }
}

function portJson(port: PublishedTaskPort) {
  return { Protocol: port.protocol, TargetPort: port.containerPort, PublishedPort: port.hostPort, PublishMode: 'host' }
}
