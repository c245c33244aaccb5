import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { anatomyPage } from '../output/anatomy-page.ts'

export const anatomy = command({
  name: 'anatomy',
  usage: '[FLAGS] CONTAINER',
  summary: 'Take a container apart on one page: the process, the tarballs it was born from, its control group, its namespaces.',
  examples: [
    ['anatomy web', 'for people'],
    ['anatomy --format json web', 'for programs'],
  ],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 1, max: 1 },
  completes: ['container'],
  run: async ({ flags, operands }, context) => {
    const page = await (await context.client()).glovebox.anatomy(operands[0] ?? '')
    const { stdout } = context.terminal
    stdout.write(
      flags.format === 'json'
        ? `${JSON.stringify(page, null, 2)}\n`
        : anatomyPage(page, context.paint, stdout.isTty ? Math.min(stdout.columns, 120) : 120, context.clock.nowMs()),
    )
    return 0
  },
})
