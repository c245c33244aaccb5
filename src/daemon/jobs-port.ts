import type { JobsPort, RunEvent } from '#api/glovebox'
import type { Jobs, RunTaskView, RunView } from '#cluster/jobs'
import { messageOf, type Log } from '#base'
import type { ContainersService } from '#engine/containers'

import { merged } from './merged.ts'

export interface JobsPortNeeds {
  readonly jobs: Jobs
  readonly containers: Pick<ContainersService, 'list' | 'logs'>
  readonly log: Log
}

/** Jobs, with what their tasks write on this machine. */
export function jobsPort({ jobs, containers, log }: JobsPortNeeds): JobsPort {
  return {
    list: jobs.list,
    get: jobs.get,
    history: jobs.history,
    runOf: jobs.runOf,
    run: jobs.run,
    cancel: jobs.cancel,
    suspend: jobs.suspend,
    resume: jobs.resume,
    output: (ref, run, { follow }, signal) => (follow ? followed(ref, run, signal) : written(ref, run, signal)),
  }

  async function* written(ref: string, name: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
    const run = await jobs.runOf(ref, name)
    yield { kind: 'run', run }
    for (const task of run.tasks) yield* outputOf(task, false, signal)
  }

  /** Each task's output begins when its container is there, and ends with it; then the run is over. */
  async function* followed(ref: string, name: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
    const events = merged<RunEvent>(signal)
    const begun = new Set<string>()
    const begin = (run: RunView) => {
      for (const task of run.tasks) {
        // Before its process runs there is nothing to follow, and a reader would take that for the end.
        if (begun.has(task.id) || !(task.isEnded || task.state === 'running')) continue
        begun.add(task.id)
        events.add(outputOf(task, true, events.signal))
      }
    }
    events.add(
      (async function* () {
        for await (const run of jobs.follow(ref, name, events.signal)) {
          begin(run)
          yield { kind: 'run', run } as const
        }
      })(),
    )
    yield* events.values
  }

  async function* outputOf(task: RunTaskView, follow: boolean, signal: AbortSignal): AsyncGenerator<RunEvent> {
    const { id: taskId, slot, attempt, containerId } = task
    // On another node, or gone by now.
    if (containerId === null || !containers.list().some(({ id }) => id === containerId)) return
    const options = { stdout: true, stderr: true, follow, sinceNs: null, untilNs: null, tail: null, signal }
    try {
      for await (const { stream, time, line } of containers.logs(containerId, options))
        yield { kind: 'output', taskId, slot, attempt, stream, time, line: line.toString('base64') }
    } catch (error) {
      if (!signal.aborted) log.warn('the output of a task ended early', { task: taskId, error: messageOf(error) })
    }
  }
}
