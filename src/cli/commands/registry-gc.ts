import { choice, isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { collectPage, ruleText } from '../output/registry-page.ts'

export const registryGc = command({
  name: 'registry gc',
  usage: '[FLAGS]',
  summary: 'Remove what the rules no longer keep.',
  description: 'The daemon does this every six hours by itself, while pushes and pulls go on.',
  examples: [['registry gc --dry-run', 'what would go, and why']],
  flags: { 'dry-run': isSet('Show what would go, and remove nothing'), format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const isDryRun = flags['dry-run']
    const report = await (await context.client()).registry.collect({ isDryRun })
    context.terminal.stdout.write(
      flags.format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : collectPage(report, isDryRun),
    )
    return 0
  },
})

export const registryRules = command({
  name: 'registry rules',
  usage: '[RULE...]',
  summary: 'Show or replace the rules by which repositories are cleaned.',
  description:
    'A rule is a pattern of repository names and what stays of those: keep-last=N tags, tags younger than keep-younger=30d, tags like keep-tag=PATTERN, and what has no tag for untagged=7d. The first rule whose pattern matches a repository holds for it; without one nothing of it goes.',
  examples: [
    ['registry rules', 'the rules that hold now'],
    ["registry rules 'team/**,keep-last=10,keep-tag=v*,untagged=7d' '**,untagged=30d'", 'new ones, in their order'],
  ],
  flags: {},
  operands: { min: 0, max: 100 },
  run: async ({ operands }, context) => {
    const { registry } = await context.client()
    const rules = operands.length === 0 ? (await registry.status()).rules : await registry.setRules(operands)
    for (const rule of rules) context.terminal.stdout.write(`${ruleText(rule)}\n`)
    return 0
  },
})
