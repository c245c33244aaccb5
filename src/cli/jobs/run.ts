import type { RunView } from '#api/glovebox'

import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { printOutput } from './print-output.ts'

const INTERRUPTED = 130

export const jobsRun = command({
  name: 'jobs run',
  usage: '[FLAGS] JOB',
  summary: 'Run a job now, whatever its schedule says, and print the name of the run.',
  description:
    'With --wait, what its tasks write is printed instead as it comes, and the exit code is that of the job: 0 when it succeeded, else that of the task that failed last. Ctrl-C then ends the watching, not the run. A job that allows no two runs at once is refused while one is under way.',
  examples: [
    ['jobs run shop/backup', 'and go on'],
    ['jobs run --wait shop/backup', 'with its output and its exit code'],
  ],
  flags: { wait: isSet('Follow its output until it is over', 'w') },
  operands: { min: 1, max: 1 },
  completes: ['job'],
  run: async ({ flags, operands: [name = ''] }, context) => {
    const { jobs } = await context.client()
    const { stdout, stderr } = context.terminal
    const begun = await jobs.run(name)
    if (!flags.wait) {
      stdout.write(`${begun.name}\n`)
      return 0
    }
    const signal = context.interrupted()
    const run = await printOutput(jobs.output(name, begun.name, { follow: true, signal }), { hasTimes: false }, context)
    if (signal.aborted) {
      stderr.write(`run ${begun.name} of ${name} goes on: see \`glovebox jobs history ${name}\`\n`)
      return INTERRUPTED
    }
    if (run !== undefined && run.state !== 'succeeded') stderr.write(`run ${run.name} of ${name} ${run.state}: ${run.reason}\n`)
    return exitCodeOf(run)
  },
})

/** Of the whole run: never 0 when it did not succeed. */
export function exitCodeOf(run: Pick<RunView, 'state' | 'exitCode'> | undefined): number {
  if (run?.state === 'succeeded') return 0
  return run?.exitCode ?? 1
}
