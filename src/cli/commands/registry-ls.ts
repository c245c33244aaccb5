import { formatBytes } from '#base'

import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { shortened } from '../output/registry-page.ts'
import { renderTable } from '../output/table.ts'
import { roughDuration } from '../output/units.ts'

export const registryLs = command({
  name: 'registry ls',
  usage: '[FLAGS] [REPOSITORY]',
  summary: 'List repositories, or what one of them holds.',
  examples: [
    ['registry ls', 'all repositories'],
    ['registry ls team/web', 'its tags and manifests'],
  ],
  flags: { format: choice(['table', 'json'], 'How to print it') },
  operands: { min: 0, max: 1 },
  run: async ({ flags, operands: [name] }, context) => {
    const { registry } = await context.client()
    const { stdout } = context.terminal
    const ago = (ms: number) => `${roughDuration(context.clock.nowMs() - ms)} ago`
    if (name === undefined) {
      const found = await registry.repositories()
      const rows = found.map((one) => [
        one.name,
        String(one.tagCount),
        String(one.manifestCount),
        one.pushedAtMs === 0 ? '' : ago(one.pushedAtMs),
      ])
      const columns = [
        { title: 'REPOSITORY' },
        { title: 'TAGS', align: 'right' },
        { title: 'MANIFESTS', align: 'right' },
        { title: 'PUSHED' },
      ] as const
      stdout.write(flags.format === 'json' ? `${JSON.stringify(found, null, 2)}\n` : renderTable(columns, rows))
      return 0
    }
    const content = await registry.content(name)
    const newest = content.manifests.toSorted((a, b) => b.pushedAtMs - a.pushedAtMs)
    const rows = newest.map(({ tags, digest, sizeBytes, pushedAtMs }) => [
      tags.join(', ') || '<none>',
      shortened(digest),
      formatBytes(sizeBytes),
      ago(pushedAtMs),
    ])
    const columns = [{ title: 'TAGS' }, { title: 'DIGEST' }, { title: 'MANIFEST', align: 'right' }, { title: 'PUSHED' }] as const
    stdout.write(flags.format === 'json' ? `${JSON.stringify(content, null, 2)}\n` : renderTable(columns, rows))
    return 0
  },
})
