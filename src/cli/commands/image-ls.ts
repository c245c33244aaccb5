import { isSet, list, refused } from '../args/flags.ts'
import { command } from '../command.ts'
import { IMAGE_HEADINGS, imageRows } from '../listing/image-rows.ts'
import { printListing } from '../listing/listing.ts'
import { filterQuery, formatFlag } from '../list-format.ts'

export const imageLs = command({
  name: 'image ls',
  usage: '[FLAGS] [NAME[:TAG]]',
  summary: 'List images.',
  examples: [
    ['image ls app', 'those of one name'],
    ['image ls --filter dangling=true', 'those without a name'],
    ["images --format '{{.Repository}}:{{.Tag}} {{.Size}}'", 'chosen fields'],
  ],
  flags: {
    all: isSet('Also those that only other images stand on', 'a'),
    digests: isSet('Also the digests that registries know them by'),
    quiet: isSet('Ids only', 'q'),
    'no-trunc': isSet('Nothing shortened'),
    filter: list('NAME=VALUE', 'Only those that match: reference, dangling, label, before, since', 'f'),
    format: formatFlag,
    tree: refused('an image is of one platform here', false),
  },
  operands: { min: 0, max: 1 },
  completes: ['repository'],
  run: async ({ flags, operands: [name] }, context) => {
    const client = await context.client()
    const filters = filterQuery([...flags.filter, ...(name === undefined ? [] : [`reference=${name}`])])
    const found = await client.images.list({ all: flags.all || undefined, filters })
    const isWhole = flags['no-trunc']
    const view = { nowMs: context.clock.nowMs(), isWhole }
    const rows = found.flatMap((image) => imageRows(image, view))
    if (flags.quiet) {
      for (const row of rows) context.terminal.stdout.write(`${String(row['ID'])}\n`)
      return 0
    }
    const digests = flags.digests ? ['Digest'] : []
    const table = ['Repository', 'Tag', ...digests, 'ID', 'CreatedSince', 'Size']
    printListing({ headings: IMAGE_HEADINGS, table, rows }, flags.format, context)
    return 0
  },
})
