import { text } from '../args/flags.ts'
import { command } from '../command.ts'
import { forEach } from '../for-each.ts'

export const kill = command({
  name: 'kill',
  usage: '[FLAGS] CONTAINER...',
  summary: 'Send a signal to containers, SIGKILL unless told otherwise.',
  examples: [
    ['kill web', 'end it at once'],
    ['kill -s HUP web', 'have it read its configuration again'],
  ],
  flags: { signal: text('SIGNAL', 'A name or a number (default KILL)', 's') },
  operands: { min: 1, max: Infinity },
  completes: ['running'],
  run: ({ flags, operands }, context) => forEach(operands, context, (client, ref) => client.containers.kill(ref, flags.signal)),
})
