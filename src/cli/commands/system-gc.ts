import { choice, isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { collectionPage, keptTable, runPage } from '../output/collection-page.ts'

export const systemGc = command({
  name: 'system gc',
  usage: '[FLAGS]',
  summary: 'Show which unused images go by themselves, what went and why.',
  description:
    'The daemon removes images and build results that nobody used for long, and more of them when the disk is short. What a container, a stack or a build refers to never goes. `glovebox daemon start --gc` says by which rules.',
  examples: [
    ['system gc', 'the rules, and what was removed lately'],
    ['system gc --dry-run', 'what would go now, and why the rest stays'],
    ['system gc --now', 'remove it'],
  ],
  flags: {
    'dry-run': isSet('Show what a pass would remove now, and why the rest stays'),
    now: isSet('Make a pass now instead of within the hour'),
    format: choice(['text', 'json'], 'How to print it'),
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    if (flags.now && flags['dry-run']) throw cliError('cli.usage', '--now and --dry-run contradict each other')
    const { glovebox } = await context.client()
    const { stdout } = context.terminal
    const print = (value: unknown, page: string) =>
      stdout.write(flags.format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : page)
    if (flags['dry-run']) {
      const preview = await glovebox.collectionPreview()
      print(preview, runPage(preview.run, context.paint) + keptTable(preview.kept))
      return 0
    }
    if (flags.now) {
      const run = await glovebox.collect()
      print(run, runPage(run, context.paint))
      return run.failures.length === 0 ? 0 : 1
    }
    const report = await glovebox.collectionReport()
    print(report, collectionPage(report, context.clock.nowMs(), context.paint))
    return 0
  },
})
