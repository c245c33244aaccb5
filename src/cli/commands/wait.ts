import { command } from '../command.ts'
import { errorText, exitCodeOf } from '../exit-code.ts'

export const wait = command({
  name: 'wait',
  usage: 'CONTAINER...',
  summary: 'Wait until containers have ended, and print their exit codes.',
  examples: [['wait job1 job2', 'one line for each, in the order given']],
  flags: {},
  operands: { min: 1, max: Infinity },
  completes: ['container'],
  run: async ({ operands }, context) => {
    const client = await context.client()
    let code = 0
    // One after the other: those that ended meanwhile answer at once.
    for (const ref of operands) {
      try {
        const { exit } = await client.containers.wait(ref, 'not-running')
        context.terminal.stdout.write(`${(await exit).StatusCode}\n`)
      } catch (error) {
        code = Math.max(code, exitCodeOf(error))
        context.terminal.stderr.write(errorText(error, context.paint))
      }
    }
    return code
  },
})
