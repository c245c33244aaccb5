import {
  isEnded,
  prefixOf,
  type NodeRecord,
  type RunRecord,
  type ScheduleRecord,
  type ServiceRecord,
  type TaskRecord,
} from '#cluster/model'
import type { Services, ServiceSight } from '#cluster/services'
import type { CheckSpec, ChecksSpec } from '#cluster/spec'
import type { ClusterStore } from '#cluster/store'
import { imageName, type NodeFacts, type RolloutFacts, type ServiceFacts, type TaskFacts } from '#operate/why'

export interface ClusterFacts {
  readonly services: readonly ServiceFacts[]
  readonly tasks: readonly TaskFacts[]
  readonly nodes: readonly NodeFacts[]
}

export interface ClusterFactsNeeds {
  readonly services: Pick<Services, 'list' | 'tasks' | 'nodes'>
  readonly store: Pick<ClusterStore, 'range'>
}

/** Of services, their tasks and runs, and the nodes: what the diagnoses look at. */
export async function clusterFacts({ services, store }: ClusterFactsNeeds): Promise<ClusterFacts> {
  const [sights, tasks, nodes, runs, schedules] = await Promise.all([
    services.list(),
    services.tasks(),
    services.nodes(),
    store.range<RunRecord>(prefixOf('run')),
    store.range<ScheduleRecord>(prefixOf('schedule')),
  ])
  const byService = Map.groupBy(
    runs.entries.map(({ value }) => value),
    (run) => run.serviceId,
  )
  const scheduleOf = new Map(schedules.entries.map(({ value }) => [value.serviceId, value]))
  const sightOf = new Map(sights.map((sight) => [sight.record.id, sight]))
  const hostnames = new Map(nodes.map(({ record }) => [record.id, record.description.hostname]))
  return {
    services: sights.map((sight) => serviceFacts(sight, byService.get(sight.record.id) ?? [], scheduleOf.get(sight.record.id))),
    tasks: tasks.map(({ record }) => taskFacts(record, sightOf.get(record.serviceId), hostnames)),
    nodes: nodes.map(({ record }) => nodeFacts(record)),
  }
}

function serviceFacts(sight: ServiceSight, runs: readonly RunRecord[], schedule: ScheduleRecord | undefined): ServiceFacts {
  const { record, revision } = sight
  const { spec } = revision
  const wanted = spec.job?.schedule ?? null
  return {
    id: record.id,
    name: record.name,
    shortName: spec.name,
    stack: record.stack,
    image: imageName(spec.task.image),
    imageId: revision.imageId,
    isJob: spec.job !== null,
    state: record.state,
    desiredTasks: sight.desiredTasks,
    runningTasks: sight.runningTasks,
    readyTasks: sight.readyTasks,
    revision: record.revision,
    waits: sight.waits.map(({ reason, isHopeless, taskId }) => ({ reason, isHopeless, taskId })),
    dependsOn: spec.dependsOn,
    rollout: rolloutFacts(record),
    runs: runs
      .toSorted((a, b) => a.createdAtMs - b.createdAtMs)
      .map(({ id, state, reason, createdAtMs, endedAtMs }) => ({ id, state, reason, createdAtMs, endedAtMs })),
    schedule:
      wanted === null
        ? null
        : {
            cron: wanted.cron,
            isSuspended: wanted.isSuspended || record.state === 'paused',
            missed: schedule?.missed ?? 0,
            skipped: schedule?.skipped ?? 0,
            note: schedule?.note ?? '',
            updatedAtMs: schedule?.updatedAtMs ?? record.createdAtMs,
          },
    checks: checksOf(spec.checks),
  }
}

function rolloutFacts({ rollout }: ServiceRecord): RolloutFacts | null {
  if (rollout === null) return null
  const { from, to, state, reason, startedAtMs, endedAtMs, stepStartedAtMs, weightPercent, judgements } = rollout
  const judgement = judgements.at(-1)
  return {
    ...{ from, to, state, reason, startedAtMs, endedAtMs, stepStartedAtMs, weightPercent },
    judgement: judgement === undefined ? null : { verdict: judgement.verdict, reason: judgement.reason },
  }
}

function checksOf({ startup, readiness, liveness }: ChecksSpec): ServiceFacts['checks'] {
  return {
    ...(startup === null ? {} : { startup: checkText(startup) }),
    ...(readiness === null ? {} : { readiness: checkText(readiness) }),
    ...(liveness === null ? {} : { liveness: checkText(liveness) }),
  }
}

/** `GET :8080/ready every 2 s, within 1 s`. */
function checkText({ probe, intervalMs, timeoutMs }: CheckSpec): string {
  const what =
    probe.type === 'http'
      ? `GET :${probe.port}${probe.path}, wants ${probe.statuses[0]} to ${probe.statuses[1]}`
      : probe.type === 'tcp'
        ? `a connection to port ${probe.port}`
        : probe.command.join(' ')
  return `${what}, every ${intervalMs / 1000} s, within ${timeoutMs / 1000} s`
}

function taskFacts(record: TaskRecord, sight: ServiceSight | undefined, hostnames: ReadonlyMap<string, string>): TaskFacts {
  const { status, slot, nodeId } = record
  const service = sight?.record.stack === null ? sight.record.name : sight?.revision.spec.name
  const place = slot === null ? (hostnames.get(nodeId ?? '') ?? nodeId ?? '?') : String(slot)
  return {
    id: record.id,
    name: `${service ?? record.serviceId}.${place}`,
    serviceId: record.serviceId,
    seat: slot === null ? `node ${nodeId ?? ''}` : `slot ${slot}`,
    runId: record.runId,
    state: status.state,
    desiredState: record.desiredState,
    isEnded: isEnded(status.state),
    isReady: status.state === 'running' && status.isReady,
    sinceMs: status.sinceMs,
    createdAtMs: record.createdAtMs,
    startedAtMs: status.startedAtMs ?? null,
    startAfterMs: record.startAfterMs,
    failures: record.failures ?? 0,
    message: status.message,
    error: status.error,
    exitCode: status.exitCode,
    isOomKilled: status.isOomKilled,
    health: status.health ?? null,
    healthOutput: status.healthOutput ?? '',
    containerId: status.containerId,
    nodeId,
    refusals: record.refusals ?? [],
  }
}

function nodeFacts({ id, description, availability, status }: NodeRecord): NodeFacts {
  return {
    id,
    hostname: description.hostname,
    availability,
    state: status.state,
    sinceMs: status.sinceMs,
    message: status.message,
  }
}
