import { duration, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { forEach } from '../for-each.ts'

export const stop = command({
  name: 'stop',
  usage: '[FLAGS] CONTAINER...',
  summary: 'Stop containers: ask first (SIGTERM, or what the image says), kill after a while.',
  examples: [['stop --time 2s web', 'give it two seconds']],
  flags: {
    time: duration('How long to wait before killing (default: what the container says, else 10s)', 't'),
    signal: text('SIGNAL', 'The signal that asks'),
  },
  operands: { min: 1, max: Infinity },
  run: ({ flags, operands }, context) => {
    const t = flags.time === undefined ? undefined : Math.ceil(flags.time / 1000)
    return forEach(
      operands,
      context,
      async (client, ref) => void (await client.containers.stop(ref, { t, signal: flags.signal })),
    )
  },
})
