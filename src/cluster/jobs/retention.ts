import { isEnded, type RunRecord } from '#cluster/model'
import type { JobSpec } from '#cluster/spec'

import type { RunSight } from './judge-run.ts'
import type { JobStep } from './steps.ts'

/** Of a job without a schedule, which says nothing of it. */
const KEEP_PLAIN = 3

/**
 * The oldest runs go, those that succeeded apart from the others, once all of their tasks have ended. The run of the revision that is wanted stays:
 * without it there would be another one. Runs that end in the same plan (`ending`) are looked at the next time.
 */
export function planRetention(
  state: {
    readonly revision: number
    readonly job: JobSpec | null
    readonly state: string
    readonly runs: readonly RunSight[]
  },
  ending: ReadonlySet<string>,
): readonly JobStep[] {
  const over = state.runs.filter(
    ({ run, tasks }) => run.state !== 'running' && !ending.has(run.id) && tasks.every((task) => isEnded(task.status.state)),
  )
  const isGoing = state.state === 'removing' || state.job === null
  const schedule = state.job?.schedule ?? null
  const keep = (state: RunRecord['state']) =>
    isGoing ? 0 : state === 'succeeded' ? (schedule?.keepSucceeded ?? KEEP_PLAIN) : (schedule?.keepFailed ?? KEEP_PLAIN)
  const candidates = over.filter(({ run }) => isGoing || !(run.cause === 'revision' && run.revision === state.revision))
  const byOutcome = Map.groupBy(candidates, ({ run }) => run.state === 'succeeded')
  return [...byOutcome.values()].flatMap((sights) =>
    sights
      .toSorted((a, b) => (b.run.endedAtMs ?? 0) - (a.run.endedAtMs ?? 0) || (a.run.id < b.run.id ? 1 : -1))
      .slice(keep(sights[0]?.run.state ?? 'failed'))
      .map(({ run }): JobStep => ({ type: 'forget-run', run })),
  )
}
