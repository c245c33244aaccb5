import { command } from '../command.ts'
import { forEach } from '../for-each.ts'

export const pause = command({
  name: 'pause',
  usage: 'CONTAINER...',
  summary: 'Hold all processes of containers still.',
  examples: [['pause web', 'until `unpause web`']],
  flags: {},
  operands: { min: 1, max: Infinity },
  completes: ['running'],
  run: ({ operands }, context) => forEach(operands, context, (client, ref) => client.containers.pause(ref)),
})

export const unpause = command({
  name: 'unpause',
  usage: 'CONTAINER...',
  summary: 'Let the processes of paused containers go on.',
  examples: [['unpause web', 'as if nothing had happened']],
  flags: {},
  operands: { min: 1, max: Infinity },
  completes: ['paused'],
  run: ({ operands }, context) => forEach(operands, context, (client, ref) => client.containers.unpause(ref)),
})
