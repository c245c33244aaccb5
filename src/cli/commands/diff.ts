import { command } from '../command.ts'

const LETTERS = ['C', 'A', 'D'] as const

export const diff = command({
  name: 'diff',
  usage: 'CONTAINER',
  summary: 'Show what a container changed in its file system.',
  description: 'A is added, C changed, D deleted. Volumes are not looked into.',
  examples: [['diff web', 'against its image']],
  flags: {},
  operands: { min: 1, max: 1 },
  completes: ['container'],
  run: async ({ operands: [container = ''] }, context) => {
    const client = await context.client()
    for (const { Kind, Path } of await client.containers.changes(container))
      context.terminal.stdout.write(`${LETTERS[Kind] ?? '?'} ${Path}\n`)
    return 0
  },
})
