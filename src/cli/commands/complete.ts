import { command } from '../command.ts'
import { completionsOf } from '../completion/complete.ts'

export const complete = command({
  name: '__complete',
  usage: 'WORD...',
  summary: 'Words that may stand in place of the last one, a line each with a description behind a tab.',
  description: 'The last line is `:files`, `:directories` or `:none`: what the shell should complete itself.',
  examples: [['__complete -- run --rm bus', 'images whose names begin so']],
  flags: {},
  operands: { min: 0, max: Infinity },
  run: async ({ operands }, context) => {
    const { words, rest } = await completionsOf(operands, context)
    const lines = words.map(({ word, about }) => (about === '' ? word : `${word}\t${about}`))
    context.terminal.stdout.write(`${[...lines, `:${rest}`].join('\n')}\n`)
    return 0
  },
})
