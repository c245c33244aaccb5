import { formatBytes, shortId } from '#base'
import type { DockerImageSummary } from '#client'

import { isSet, list } from '../args/flags.ts'
import { command } from '../command.ts'
import { filterQuery, formatFlag, printList } from '../list-format.ts'
import { printable } from '../output/colour.ts'
import { roughDuration } from '../output/units.ts'

export const imageLs = command({
  name: 'image ls',
  usage: '[FLAGS]',
  summary: 'List images.',
  examples: [['image ls --filter dangling=true', 'those without a name']],
  flags: {
    all: isSet('Also those that only other images stand on', 'a'),
    quiet: isSet('Ids only', 'q'),
    'no-trunc': isSet('Nothing shortened'),
    filter: list('NAME=VALUE', 'Only those that match: reference, dangling, label, before, since', 'f'),
    format: formatFlag,
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const client = await context.client()
    const found = await client.images.list({ all: flags.all || undefined, filters: filterQuery(flags.filter) })
    const nowMs = context.clock.nowMs()
    const rows = found.flatMap((image) => imageRows(image, nowMs, flags['no-trunc']))
    if (flags.quiet) for (const id of new Set(rows.map((row) => row.ID))) context.terminal.stdout.write(`${id}\n`)
    else printList({ rows, columns: COLUMNS }, flags.format, context)
    return 0
  },
})

interface ImageRow {
  readonly Repository: string
  readonly Tag: string
  readonly ID: string
  readonly CreatedSince: string
  readonly Size: string
}

const COLUMNS = [
  { title: 'REPOSITORY', cell: (row: ImageRow) => row.Repository },
  { title: 'TAG', cell: (row: ImageRow) => row.Tag },
  { title: 'IMAGE ID', cell: (row: ImageRow) => row.ID },
  { title: 'CREATED', cell: (row: ImageRow) => row.CreatedSince },
  { title: 'SIZE', align: 'right' as const, cell: (row: ImageRow) => row.Size },
]

/** One row a name. */
function imageRows(image: DockerImageSummary, nowMs: number, isWhole: boolean): ImageRow[] {
  const names = image.RepoTags === null || image.RepoTags.length === 0 ? ['<none>:<none>'] : image.RepoTags
  return names.map((name) => {
    const colon = name.lastIndexOf(':')
    return {
      Repository: printable(name.slice(0, colon)),
      Tag: printable(name.slice(colon + 1)),
      ID: isWhole ? image.Id : shortId(image.Id),
      CreatedSince: `${roughDuration(nowMs - image.Created * 1000)} ago`,
      Size: formatBytes(image.Size),
    }
  })
}
