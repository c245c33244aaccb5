import type { RevisionRecord, ServiceRecord } from '#cluster/model'
import type { ServiceSight } from '#cluster/services'

import { isoTime } from './iso-time.ts'
import { modeJson, specJson } from './spec-json.ts'

/** Service of the API description. */
export function serviceJson(sight: ServiceSight, hasStatus: boolean) {
  const { record, revision, previous, version } = sight
  const { job } = revision.spec
  return {
    ID: record.id,
    Version: { Index: version },
    CreatedAt: isoTime(record.createdAtMs),
    UpdatedAt: isoTime(record.updatedAtMs),
    Spec: currentSpec(record, revision),
    ...(previous === null ? {} : { PreviousSpec: specJson(previous) }),
    Endpoint: endpointJson(revision),
    ...updateStatus(record),
    ...(job === null
      ? {}
      : { JobStatus: { JobIteration: { Index: revision.number }, LastExecution: isoTime(revision.createdAtMs) } }),
    ...(hasStatus
      ? {
          ServiceStatus: {
            RunningTasks: sight.runningTasks,
            DesiredTasks: sight.desiredTasks,
            CompletedTasks: sight.completedTasks,
          },
        }
      : {}),
  }
}

/** Scaling makes no revision: the number is the record's. Clients rely on figures that they may leave out themselves. */
function currentSpec(record: ServiceRecord, revision: RevisionRecord) {
  const Mode = modeJson({ ...revision.spec, replicas: record.replicas })
  return { ...specJson(revision), Name: record.name, Labels: record.labels, Mode }
}

/** Names are answered with the addresses of tasks: there are no virtual ones to tell. */
function endpointJson({ spec }: RevisionRecord) {
  const ports = spec.ports.map((port) => ({
    Protocol: port.protocol,
    TargetPort: port.containerPort,
    ...(port.published === null ? {} : { PublishedPort: port.published }),
    PublishMode: port.mode,
  }))
  const mode = { Mode: spec.endpointMode ?? 'vip' }
  return ports.length === 0 ? { Spec: mode } : { Spec: { ...mode, Ports: ports }, Ports: ports }
}

const STATES = {
  running: 'updating',
  paused: 'paused',
  completed: 'completed',
  failed: 'paused',
  'rolling-back': 'rollback_started',
  'rolled-back': 'rollback_completed',
  aborted: 'paused',
} as const

/** Of a change that has to do with tasks. One that was over when the service was last asked for says nothing of that. */
function updateStatus({ rollout, forgivenAtMs }: ServiceRecord) {
  if (rollout === null || (rollout.endedAtMs !== null && rollout.endedAtMs < (forgivenAtMs ?? 0))) return {}
  return {
    UpdateStatus: {
      State: STATES[rollout.state],
      StartedAt: isoTime(rollout.startedAtMs),
      ...(rollout.endedAtMs === null ? {} : { CompletedAt: isoTime(rollout.endedAtMs) }),
      Message: rollout.state === 'completed' ? 'update completed' : rollout.reason,
    },
  }
}
