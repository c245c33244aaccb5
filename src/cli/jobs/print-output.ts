import type { RunEvent, RunOutput, RunView } from '#api/glovebox'

import type { CliContext } from '../command.ts'

export interface OutputStyle {
  readonly hasTimes: boolean
}

/** Prints what tasks of a run write, and gives the run as it was last; undefined: nothing was told of it. */
export async function printOutput(
  events: AsyncIterable<RunEvent>,
  { hasTimes }: OutputStyle,
  { terminal }: Pick<CliContext, 'terminal'>,
): Promise<RunView | undefined> {
  let run: RunView | undefined
  for await (const event of events) {
    if (event.kind === 'run') {
      run = event.run
      continue
    }
    const sink = event.stream === 'stderr' ? terminal.stderr : terminal.stdout
    const line = Buffer.from(event.line, 'base64')
    const head = `${whose(event, run)}${hasTimes ? `${event.time} ` : ''}`
    if (!sink.write(head === '' ? line : Buffer.concat([Buffer.from(head), line]))) await sink.drained?.()
  }
  return run
}

/** Where several tasks write at once each line says whose it is. */
function whose({ slot, taskId }: RunOutput, run: RunView | undefined): string {
  const places = new Set(run?.tasks.map((task) => task.slot ?? task.nodeId))
  if (places.size < 2) return ''
  return `${slot ?? run?.tasks.find(({ id }) => id === taskId)?.nodeId ?? taskId} | `
}
