import { isSet, list, refused } from '../args/flags.ts'
import { command } from '../command.ts'
import { printListing } from '../listing/listing.ts'
import { VOLUME_HEADINGS, volumeRow } from '../listing/network-rows.ts'
import { filterQuery, formatFlag } from '../list-format.ts'

export const volumeLs = command({
  name: 'volume ls',
  usage: '[FLAGS]',
  summary: 'List volumes.',
  examples: [['volume ls --filter dangling=true', 'those that no container uses']],
  flags: {
    filter: list('NAME=VALUE', 'Only those that match: name, dangling, driver, label', 'f'),
    quiet: isSet('Names only', 'q'),
    format: formatFlag,
    cluster: refused('there are no volumes of a cluster', false),
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const found = await (await context.client()).volumes.list(filterQuery(flags.filter))
    const rows = found.toSorted((a, b) => (a.Name < b.Name ? -1 : 1)).map(volumeRow)
    if (flags.quiet) for (const row of rows) context.terminal.stdout.write(`${String(row['Name'])}\n`)
    else printListing({ headings: VOLUME_HEADINGS, table: ['Driver', 'Name'], rows }, flags.format, context)
    return 0
  },
})
