import { isObject } from '#api/http'
import type { RevisionRecord, ServiceRecord } from '#cluster/model'
import type { ServiceSight } from '#cluster/services'

import { isoTime } from './iso-time.ts'
import type { VirtualIp } from './port.ts'
import { modeJson, specJson } from './spec-json.ts'

/** Service of the API description. */
export function serviceJson(sight: ServiceSight, virtualIps: readonly VirtualIp[], hasStatus: boolean) {
  const { record, revision, previous, version } = sight
  const { job } = revision.spec
  return {
    ID: record.id,
    Version: { Index: version },
    CreatedAt: isoTime(record.createdAtMs),
    UpdatedAt: isoTime(record.updatedAtMs),
    Spec: currentSpec(record, revision),
    ...(previous === null ? {} : { PreviousSpec: specJson(previous) }),
    Endpoint: endpointJson(
      revision,
      virtualIps.filter(({ serviceId }) => serviceId === record.id),
    ),
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
  const spec = specJson(revision)
  // A port that is chosen is told under `Endpoint`: the wish is that some port be.
  const said = revision.parts.said === undefined ? endpointSpec(revision) : spec['EndpointSpec']
  const endpoint = isObject(said) ? { EndpointSpec: { Mode: revision.spec.endpointMode ?? 'vip', ...said } } : {}
  return { ...spec, Name: record.name, Labels: record.labels, Mode, ...endpoint }
}

/** Published ports are the router's, at the host's own addresses; the virtual ones are for neighbours on the service's networks. */
function endpointJson(revision: RevisionRecord, virtualIps: readonly VirtualIp[]) {
  const Spec = endpointSpec(revision)
  return {
    Spec,
    ...('Ports' in Spec ? { Ports: Spec.Ports } : {}),
    ...(virtualIps.length === 0
      ? {}
      : { VirtualIPs: virtualIps.map(({ networkId, address }) => ({ NetworkID: networkId, Addr: address })) }),
  }
}

function endpointSpec({ spec }: RevisionRecord) {
  const ports = spec.ports.map((port) => ({
    Protocol: port.protocol,
    TargetPort: port.containerPort,
    ...(port.published === null ? {} : { PublishedPort: port.published }),
    PublishMode: port.mode,
  }))
  return { Mode: spec.endpointMode ?? 'vip', ...(ports.length === 0 ? {} : { Ports: ports }) }
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

/** In the API's words. Of a change that has to do with tasks: one that was over when the service was last asked for says nothing of that. */
export function updateState({ rollout, forgivenAtMs }: ServiceRecord): (typeof STATES)[keyof typeof STATES] | undefined {
  if (rollout === null || (rollout.endedAtMs !== null && rollout.endedAtMs < (forgivenAtMs ?? 0))) return undefined
  return STATES[rollout.state]
}

function updateStatus(record: ServiceRecord) {
  const [State, { rollout }] = [updateState(record), record]
  if (State === undefined || rollout === null) return {}
  return {
    UpdateStatus: {
      State,
      StartedAt: isoTime(rollout.startedAtMs),
      ...(rollout.endedAtMs === null ? {} : { CompletedAt: isoTime(rollout.endedAtMs) }),
      Message: messageOf(State, rollout.reason),
    },
  }
}

/** In the words of swarm mode, with what there is to say besides. */
function messageOf(state: (typeof STATES)[keyof typeof STATES], reason: string): string {
  switch (state) {
    case 'updating':
      return 'update in progress'
    case 'completed':
      return 'update completed'
    case 'rollback_completed':
      return 'rollback completed'
    case 'rollback_started':
      return reason.startsWith('asked for by') ? 'manually requested rollback' : `update rolled back due to failure: ${reason}`
    case 'paused':
      return `update paused due to failure: ${reason}`
  }
}
