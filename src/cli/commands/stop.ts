import { alsoCalled, duration, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { forEach } from '../for-each.ts'

export const stop = command({
  name: 'stop',
  usage: '[FLAGS] CONTAINER...',
  summary: 'Stop containers: ask first (SIGTERM, or what the image says), kill after a while.',
  examples: [['stop -t 2s web', 'give it two seconds']],
  flags: {
    timeout: alsoCalled(
      duration('How long to wait before killing; -1 for ever (default: what the container says, else 10s)', 't'),
      'time',
    ),
    signal: text('SIGNAL', 'The signal that asks', 's'),
  },
  operands: { min: 1, max: Infinity },
  completes: ['running'],
  run: ({ flags, operands }, context) => {
    const t = flags.timeout === undefined ? undefined : Math.ceil(flags.timeout / 1000)
    return forEach(
      operands,
      context,
      async (client, ref) => void (await client.containers.stop(ref, { t, signal: flags.signal })),
    )
  },
})
