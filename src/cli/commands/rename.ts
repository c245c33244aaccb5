import { command } from '../command.ts'

export const rename = command({
  name: 'rename',
  usage: 'CONTAINER NAME',
  summary: 'Give a container another name.',
  examples: [['rename web web-old', 'to make room for a new one']],
  flags: {},
  operands: { min: 2, max: 2 },
  completes: ['container', []],
  run: async ({ operands: [ref = '', name = ''] }, context) => {
    await (await context.client()).containers.rename(ref, name)
    return 0
  },
})
