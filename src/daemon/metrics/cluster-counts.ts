import type { Clock } from '#base'
import { isEnded, prefixOf, type RunRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import type { Mirror } from '#cluster/services'
import type { MetricRegistry } from '#observe/metrics'

/** A roll-out of one task takes seconds, a canary hours. */
const ROLLOUT_BOUNDS_S = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600]
const RUN_BOUNDS_S = [0.5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600, 4 * 3600, 24 * 3600]
const PLACEMENT_BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300]

const SERVICE = prefixOf('service')
const TASK = prefixOf('task')
const RUN = prefixOf('run')

/**
 * Counts what happens to services: each change of a record is seen once, and what was there when the daemon began is not counted again. What happened while no daemon ran is not
 * counted either.
 */
export function countCluster(
  mirror: Pick<Mirror, 'range' | 'listen' | 'get'>,
  registry: MetricRegistry,
  clock: Clock,
): Disposable {
  const rollouts = registry.counter({
    name: 'glovebox_service_rollouts_total',
    help: 'Changes of a service that came to an end, by what came of them.',
    labels: ['service', 'outcome'],
    isKept: true,
  })
  const rolloutTime = registry.histogram(
    { name: 'glovebox_service_rollout_duration_seconds', help: 'How long changes of services took.', labels: ['outcome'] },
    ROLLOUT_BOUNDS_S,
  )
  const ends = registry.counter({
    name: 'glovebox_service_task_ends_total',
    help: 'Tasks of a service that ended, by the state in which they did.',
    labels: ['service', 'state'],
    isKept: true,
  })
  const restarts = registry.counter({
    name: 'glovebox_service_restarts_total',
    help: 'Tasks that were made in place of one that had ended by itself.',
    labels: ['service'],
    isKept: true,
  })
  const placements = registry.counter({
    name: 'glovebox_scheduler_placements_total',
    help: 'Tasks that got a node.',
    labels: [],
    isKept: true,
  })
  const placementTime = registry.histogram(
    { name: 'glovebox_scheduler_placement_wait_seconds', help: 'How long tasks waited for a node.', labels: [], isKept: true },
    PLACEMENT_BOUNDS_S,
  )
  const runs = registry.counter({
    name: 'glovebox_job_runs_total',
    help: 'Runs of a job that came to an end, by what came of them.',
    labels: ['service', 'outcome'],
    isKept: true,
  })
  const runTime = registry.histogram(
    { name: 'glovebox_job_run_duration_seconds', help: 'How long runs of jobs took.', labels: ['outcome'] },
    RUN_BOUNDS_S,
  )
  const lastSuccess = registry.gauge({
    name: 'glovebox_job_last_success_timestamp_seconds',
    help: 'When a run of a job ended well the last time, in seconds since 1970.',
    labels: ['service'],
  })
  const nameOf = (serviceId: string) => mirror.get<ServiceRecord>(`${SERVICE}${serviceId}`)?.value.name ?? ''
  /** What was counted of each record that is there. */
  const seen = new Map<string, string>()

  const ofService = ({ name, rollout }: ServiceRecord, before: string | undefined): string => {
    const mark = serviceMark(rollout)
    if (before !== undefined && mark !== before && rollout !== null && rollout.endedAtMs !== null) {
      rollouts.add([name, rollout.state])
      rolloutTime.observe([rollout.state], (rollout.endedAtMs - rollout.startedAtMs) / 1000)
    }
    return mark
  }
  const ofTask = (task: TaskRecord, before: string | undefined): string => {
    const mark = taskMark(task)
    const [, end = ''] = mark.split(' ')
    const [wasPlaced = '', hadEnded = ''] = (before ?? ' ').split(' ')
    const name = nameOf(task.serviceId)
    if (before === undefined && (task.failures ?? 0) > 0) restarts.add([name])
    if (wasPlaced === '' && task.nodeId !== null) {
      placements.add([])
      placementTime.observe([], Math.max(0, clock.nowMs() - task.createdAtMs) / 1000)
    }
    if (end !== '' && hadEnded === '' && end !== 'remove') ends.add([name, end])
    return mark
  }
  const ofRun = (run: RunRecord, before: string | undefined): string => {
    if (run.state !== 'running' && before !== run.state) {
      const name = nameOf(run.serviceId)
      runs.add([name, run.state])
      const endedAtMs = run.endedAtMs ?? clock.nowMs()
      runTime.observe([run.state], Math.max(0, endedAtMs - run.createdAtMs) / 1000)
      if (run.state === 'succeeded') lastSuccess.set([name], endedAtMs / 1000)
    }
    return run.state
  }

  /** All of the picture, of which nothing is new. */
  const begin = () => {
    seen.clear()
    for (const { key, value } of mirror.range<ServiceRecord>(SERVICE)) seen.set(key, serviceMark(value.rollout))
    for (const { key, value } of mirror.range<TaskRecord>(TASK)) seen.set(key, taskMark(value))
    for (const { key, value } of mirror.range<RunRecord>(RUN)) {
      seen.set(key, value.state)
      if (value.state === 'succeeded' && value.endedAtMs !== null)
        lastSuccess.set([nameOf(value.serviceId)], value.endedAtMs / 1000)
    }
  }
  begin()
  return mirror.listen(({ changes }) => {
    if (changes.length === 0) return begin()
    for (const { key, value } of changes) {
      const before = seen.get(key)
      if (value === null) seen.delete(key)
      else if (key.startsWith(SERVICE)) seen.set(key, ofService(value as ServiceRecord, before ?? ''))
      else if (key.startsWith(TASK)) seen.set(key, ofTask(value as TaskRecord, before))
      else if (key.startsWith(RUN)) seen.set(key, ofRun(value as RunRecord, before))
    }
  })
}

function serviceMark(rollout: ServiceRecord['rollout']): string {
  return rollout === null ? '' : `${rollout.startedAtMs} ${rollout.endedAtMs === null ? '' : rollout.state}`
}

function taskMark({ nodeId, status }: TaskRecord): string {
  return `${nodeId === null ? '' : 'placed'} ${isEnded(status.state) ? status.state : ''}`
}
