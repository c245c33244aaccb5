import { alsoCalled, duration, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { forEach } from '../for-each.ts'

export const restart = command({
  name: 'restart',
  usage: '[FLAGS] CONTAINER...',
  summary: 'Stop containers and start them again.',
  examples: [['restart -t 2 web', 'give it two seconds to stop']],
  flags: {
    timeout: alsoCalled(
      duration('How long to wait before killing; -1 for ever (default: what the container says, else 10s)', 't'),
      'time',
    ),
    signal: text('SIGNAL', 'The signal that asks', 's'),
  },
  operands: { min: 1, max: Infinity },
  completes: ['container'],
  run: ({ flags, operands }, context) => {
    const t = flags.timeout === undefined ? undefined : Math.ceil(flags.timeout / 1000)
    return forEach(operands, context, (client, ref) => client.containers.restart(ref, { t, signal: flags.signal }))
  },
})
