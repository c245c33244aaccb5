import { isSet, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { copyOutput } from '../run/copy-output.ts'
import { timestampQuery } from '../timestamps.ts'

export const logs = command({
  name: 'logs',
  usage: '[FLAGS] CONTAINER',
  summary: 'Show what a container wrote to its standard output and error.',
  examples: [
    ['logs -f --tail 20 web', 'the last 20 lines, then live'],
    ['logs --since 5m web 2>/dev/null', 'the standard output of the last five minutes'],
  ],
  flags: {
    follow: isSet('Stay and show what comes', 'f'),
    timestamps: isSet('A time before each line', 't'),
    details: isSet('The labels and variables that the log driver keeps with each line'),
    tail: text('N', 'Only the last N lines', 'n'),
    since: text('TIME', 'Begin there: 10m, or a time'),
    until: text('TIME', 'End there'),
  },
  operands: { min: 1, max: 1 },
  completes: ['container'],
  run: async ({ flags, operands }, context) => {
    const ref = operands[0] ?? ''
    if (flags.tail !== undefined && !/^(\d+|all)$/.test(flags.tail))
      throw cliError('cli.usage', `--tail: ${JSON.stringify(flags.tail)} is neither a number nor all`)
    const client = await context.client()
    const { Config } = await client.containers.inspect(ref)
    const nowMs = context.clock.nowMs()
    const query = {
      stdout: true,
      stderr: true,
      follow: flags.follow || undefined,
      timestamps: flags.timestamps || undefined,
      details: flags.details || undefined,
      tail: flags.tail,
      since: timestampQuery('--since', flags.since, nowMs),
      until: timestampQuery('--until', flags.until, nowMs),
    }
    await copyOutput(await client.containers.logs(ref, query), Config.Tty, context.terminal)
    return 0
  },
})
