import type { DockerProgress } from '#client'

import { cliError } from '../errors.ts'
import { bar, type Progress } from '../output/progress.ts'
import type { Sink } from '../output/terminal.ts'

/** Follows a progress stream of the Docker API to its end. Resolves to the id that it told last. A failure in it is thrown. */
export async function followProgress(
  steps: AsyncIterable<DockerProgress>,
  show: Progress,
  sink: Sink,
): Promise<string | undefined> {
  let id: string | undefined
  for await (const step of steps) {
    if (step.error !== undefined) throw cliError('cli.failed', step.errorDetail?.message ?? step.error)
    if (step.stream !== undefined) sink.write(step.stream)
    if (step.status !== undefined) {
      const { current = 0, total = 0 } = step.progressDetail ?? {}
      if (step.id === undefined) show.note(step.status)
      else {
        show.update(step.id, step.status, bar(current, total) || step.progress)
        show.say(`${step.id}: ${step.status}`)
      }
    }
    id = step.aux?.ID ?? id
  }
  show.finish()
  return id
}
