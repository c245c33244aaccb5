import { isEnded, type RunRecord, type TaskRecord } from '#cluster/model'
import type { JobSpec, ServiceMode } from '#cluster/spec'

export interface Verdict {
  readonly state: 'succeeded' | 'failed'
  readonly reason: string
}

/** What is known of a run. */
export interface RunSight {
  readonly run: RunRecord
  /** Of the revision that it runs; null: that is gone. */
  readonly job: JobSpec | null
  readonly mode: ServiceMode
  /** Those with its id. */
  readonly tasks: readonly TaskRecord[]
  /** Of a `global-job`: the nodes that it has to run on, as they are now. */
  readonly nodes: readonly string[]
}

/** Whether a run is over. Null: not yet. A task whose node was lost is no failure: it is tried again. */
export function judgeRun({ run, job, mode, tasks, nodes }: RunSight, nowMs: number): Verdict | null {
  if (job === null) return { state: 'failed', reason: `revision ${run.revision} is not there any more` }
  const places = Map.groupBy(tasks, placeOf)
  for (const [place, attempts] of places) {
    if (attempts.some(isDone)) continue
    const last = attempts.toSorted(youngestFirst)[0]
    if (last === undefined || !isFault(last)) continue
    const failures = (last.failures ?? 0) + 1
    if (failures > job.retries)
      return { state: 'failed', reason: `${place} failed ${failures === 1 ? 'once' : `${failures} times`}: ${endOf(last)}` }
  }
  const done = [...places].filter(([, attempts]) => attempts.some(isDone)).map(([place]) => place)
  const wanted = mode === 'global-job' ? nodes.map((id) => `node ${id}`) : slots(job.completions)
  if (wanted.length > 0 && wanted.every((place) => done.includes(place)))
    return { state: 'succeeded', reason: `${done.length} ${done.length === 1 ? 'task' : 'tasks'} ended with 0` }
  if (run.deadlineAtMs !== null && nowMs >= run.deadlineAtMs)
    return { state: 'failed', reason: `its deadline passed when ${done.length} of ${wanted.length} tasks were done` }
  return null
}

/** Some of it still runs, or will. */
export function isUnderWay({ run, tasks }: Pick<RunSight, 'run' | 'tasks'>): boolean {
  return run.state === 'running' || tasks.some((task) => !isEnded(task.status.state))
}

function slots(completions: number): readonly string[] {
  return Array.from({ length: completions }, (_, index) => `slot ${index + 1}`)
}

function placeOf(task: TaskRecord): string {
  return task.slot === null ? `node ${task.nodeId ?? ''}` : `slot ${task.slot}`
}

function isDone(task: TaskRecord): boolean {
  return task.status.state === 'complete'
}

/** It ended by itself and not as it should. */
function isFault({ status, desiredState }: TaskRecord): boolean {
  const isWanted = desiredState === 'ready' || desiredState === 'running'
  return isWanted && isEnded(status.state) && status.state !== 'complete' && status.state !== 'orphaned'
}

function endOf({ status }: TaskRecord): string {
  if (status.isOomKilled) return 'out of memory'
  if (status.error !== '') return status.error
  return status.exitCode === null ? status.state : `exit code ${status.exitCode}`
}

function youngestFirst(a: TaskRecord, b: TaskRecord): number {
  return b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1)
}
