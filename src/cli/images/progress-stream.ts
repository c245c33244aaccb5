import type { DockerProgress } from '#client'

import { cliError } from '../errors.ts'
import { bar, type Progress } from '../output/progress.ts'
import type { Sink } from '../output/terminal.ts'

/**
 * Follows a progress stream of the Docker API to its end. Resolves to the id that it told last; texts of the stream (what was loaded) go to
 * `sink`. A failure in it is thrown.
 */
export async function followProgress(
  steps: AsyncIterable<DockerProgress>,
  show: Progress,
  sink?: Sink,
): Promise<string | undefined> {
  let id: string | undefined
  const states = new Map<string, string>()
  try {
    for await (const step of steps) {
      if (step.error !== undefined) throw cliError('cli.failed', step.errorDetail?.message ?? step.error)
      if (step.stream !== undefined) sink?.write(step.stream)
      if (step.status !== undefined) showStatus(step, step.status, show, states)
      id = step.aux?.ID ?? id
    }
  } finally {
    // What is said next, a failure as well, stands below the bars.
    show.finish()
  }
  return id
}

function showStatus(step: DockerProgress, status: string, show: Progress, states: Map<string, string>): void {
  const { current = 0, total = 0 } = step.progressDetail ?? {}
  if (step.id === undefined) return show.note(status)
  show.update(step.id, status, bar(current, total) || step.progress)
  // Without a terminal each state of a layer is one line, and its bytes are none.
  if (states.get(step.id) === status) return
  states.set(step.id, status)
  show.say(`${step.id}: ${status}`)
}
