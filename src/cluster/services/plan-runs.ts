import type { RunRecord, TaskRecord } from '#cluster/model'
import type { JobSpec } from '#cluster/spec'

import { blockedBy } from './dependencies.ts'
import { wantsNode } from './node-fit.ts'
import { planStarts } from './plan-seats.ts'
import { afterEnd, describeEnd } from './restart-policy.ts'
import type { PlanWriter } from './service-plan.ts'
import { isLive, isStaying, seatKey, youngestFirst, type ClusterState, type ServiceState } from './service-state.ts'
import { taskLabel } from './task-label.ts'

/** The tasks of the runs of a job: as many at a time as may be, and after a failure another attempt. Whether a run is over is not decided here. */
export function planRuns(state: ServiceState, cluster: ClusterState, out: PlanWriter): void {
  const isPaused = state.service.state === 'paused'
  for (const run of state.runs) if (run.state === 'running') planRun(state, cluster, run, isPaused, out)
  for (const task of state.tasks) {
    const run = state.runs.find((candidate) => candidate.id === task.runId)
    if (run?.state === 'running') continue
    if (run === undefined && task.desiredState !== 'remove')
      out.step({ type: 'end-task', task, desiredState: 'remove', reason: 'its run is forgotten' })
    else if (isLive(task) && isStaying(task))
      out.step({ type: 'end-task', task, desiredState: 'shutdown', reason: `its run is ${run?.state ?? 'gone'}` })
  }
  planStarts(state, cluster, out)
}

interface Attempts {
  readonly slot: number | null
  readonly nodeId: string | null
  readonly tasks: readonly TaskRecord[]
}

function planRun(state: ServiceState, cluster: ClusterState, run: RunRecord, isPaused: boolean, out: PlanWriter): void {
  const revision = state.revisions.get(run.revision)
  const job = revision?.spec.job ?? null
  if (revision === undefined || job === null) return
  const { mode } = revision.spec
  const fits = wantsNode(state.service, revision)
  const tasks = state.tasks.filter((task) => task.runId === run.id)
  const byPlace = Map.groupBy(tasks, seatKey)
  const places: readonly Attempts[] =
    mode === 'global-job'
      ? [...cluster.nodes.values()]
          .filter((node) => fits(node) && (node.status.state === 'ready' || byPlace.has(`node ${node.id}`)))
          .map(({ id }) => ({ slot: null, nodeId: id, tasks: byPlace.get(`node ${id}`) ?? [] }))
      : Array.from({ length: job.completions }, (_, index) => ({
          slot: index + 1,
          nodeId: null,
          tasks: byPlace.get(`slot ${index + 1}`) ?? [],
        }))
  let underWay = tasks.filter(isLive).length
  const most = mode === 'global-job' || job.parallelism === 0 ? places.length : job.parallelism
  for (const place of places) {
    if (isPaused || underWay >= most) break
    if (place.tasks.some((task) => isLive(task) || task.status.state === 'complete')) continue
    if (attempt(state, cluster, run, job, place, out)) underWay += 1
  }
}

function attempt(
  state: ServiceState,
  cluster: ClusterState,
  run: RunRecord,
  job: JobSpec,
  place: Attempts,
  out: PlanWriter,
): boolean {
  const last = place.tasks.toSorted(youngestFirst)[0]
  const before = last?.failures ?? 0
  const isFault = last !== undefined && last.status.state !== 'orphaned' && isStaying(last)
  const failures = before + (isFault ? 1 : 0)
  const label = taskLabel(state, { revision: run.revision, ...place })
  if (failures > job.retries) {
    out.wait(`${label} ${last === undefined ? 'failed' : describeEnd(last)} (${failures} attempts)`, { isHopeless: true })
    return false
  }
  const after = isFault
    ? afterEnd({ ...last, failures: before }, { condition: 'always', maxAttempts: 0, delayMs: 0 }, 0)
    : undefined
  const atMs = after?.next === 'restart' ? after.atMs : 0
  const isHeld = atMs > cluster.nowMs || blockedBy(state, cluster, failures === 0) !== null
  const { slot, nodeId } = place
  const draft = { revision: run.revision, slot, nodeId, runId: run.id, startAfterMs: atMs, failures }
  out.step({
    type: 'create-task',
    task: { ...draft, desiredState: isHeld ? 'ready' : 'running' },
    reason: last === undefined ? `for the run ${run.id}` : `${label} ${describeEnd(last)}`,
  })
  return true
}
