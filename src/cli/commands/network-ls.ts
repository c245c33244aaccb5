import { isSet, list } from '../args/flags.ts'
import { command } from '../command.ts'
import { printListing } from '../listing/listing.ts'
import { NETWORK_HEADINGS, networkRow } from '../listing/network-rows.ts'
import { filterQuery, formatFlag } from '../list-format.ts'

export const networkLs = command({
  name: 'network ls',
  usage: '[FLAGS]',
  summary: 'List networks.',
  examples: [['network ls --filter driver=bridge', 'those with a bridge']],
  flags: {
    filter: list('NAME=VALUE', 'Only those that match: name, id, driver, label, scope, type, dangling', 'f'),
    'no-trunc': isSet('Nothing shortened'),
    quiet: isSet('Ids only', 'q'),
    format: formatFlag,
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const found = await (await context.client()).networks.list(filterQuery(flags.filter))
    const rows = found.toSorted((a, b) => (a.Name < b.Name ? -1 : 1)).map((network) => networkRow(network, flags['no-trunc']))
    if (flags.quiet) for (const row of rows) context.terminal.stdout.write(`${String(row['ID'])}\n`)
    else printListing({ headings: NETWORK_HEADINGS, table: ['ID', 'Name', 'Driver', 'Scope'], rows }, flags.format, context)
    return 0
  },
})
