import { command } from '../command.ts'
import { forEach } from '../for-each.ts'

export const start = command({
  name: 'start',
  usage: 'CONTAINER...',
  summary: 'Start containers that were created or have ended.',
  examples: [['start web', 'start it again']],
  flags: {},
  operands: { min: 1, max: Infinity },
  run: ({ operands }, context) => forEach(operands, context, async (client, ref) => void (await client.containers.start(ref))),
})
