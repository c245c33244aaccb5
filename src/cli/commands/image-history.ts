import { formatBytes, shortId } from '#base'
import type { DockerHistoryEntry } from '#client'

import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { formatFlag, printList } from '../list-format.ts'
import { printable } from '../output/colour.ts'
import { truncate } from '../output/table.ts'
import { roughDuration } from '../output/units.ts'

export const imageHistory = command({
  name: 'image history',
  usage: '[FLAGS] IMAGE',
  summary: 'Show the layers of an image, the newest first.',
  examples: [['image history --no-trunc app:1', 'with whole instructions']],
  flags: { 'no-trunc': isSet('Nothing shortened'), format: formatFlag },
  operands: { min: 1, max: 1 },
  run: async ({ flags, operands }, context) => {
    const rows = await (await context.client()).images.history(operands[0] ?? '')
    const nowMs = context.clock.nowMs()
    const columns = [
      {
        title: 'IMAGE',
        cell: (row: DockerHistoryEntry) => (row.Id.startsWith('sha256:') && !flags['no-trunc'] ? shortId(row.Id) : row.Id),
      },
      { title: 'CREATED', cell: (row: DockerHistoryEntry) => `${roughDuration(nowMs - row.Created * 1000)} ago` },
      {
        title: 'CREATED BY',
        cell: (row: DockerHistoryEntry) =>
          flags['no-trunc'] ? printable(row.CreatedBy) : truncate(printable(row.CreatedBy), 60),
      },
      { title: 'SIZE', align: 'right' as const, cell: (row: DockerHistoryEntry) => formatBytes(row.Size) },
    ]
    printList({ rows, columns }, flags.format, context)
    return 0
  },
})
