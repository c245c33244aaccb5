import { isSet, refused } from '../args/flags.ts'
import { command } from '../command.ts'
import { forEach } from '../for-each.ts'

export const rm = command({
  name: 'rm',
  usage: '[FLAGS] CONTAINER...',
  summary: 'Remove containers.',
  examples: [['rm -f web', 'kill it first if it runs']],
  flags: {
    force: isSet('Kill those that run', 'f'),
    volumes: isSet('Also their anonymous volumes', 'v'),
    link: refused('links are made when a container is created, and go with it', false, 'l'),
  },
  operands: { min: 1, max: Infinity },
  completes: ['container'],
  run: ({ flags, operands }, context) =>
    forEach(operands, context, (client, ref) =>
      client.containers.remove(ref, { force: flags.force || undefined, v: flags.volumes || undefined }),
    ),
})
