import { shortId } from '#base'

import { isSet, list, number } from '../args/flags.ts'
import { command } from '../command.ts'
import { CONTAINER_HEADINGS, CONTAINER_TABLE, containerRow } from '../listing/container-rows.ts'
import { printListing } from '../listing/listing.ts'
import { filterQuery, formatFlag } from '../list-format.ts'

export const ps = command({
  name: 'ps',
  usage: '[FLAGS]',
  summary: 'List containers.',
  examples: [
    ['ps', 'what runs'],
    ['ps -a --filter status=exited', 'what has ended'],
    ["ps --format 'table {{.Names}}\\t{{.Status}}'", 'chosen fields'],
  ],
  flags: {
    all: isSet('Also those that do not run', 'a'),
    quiet: isSet('Ids only', 'q'),
    'no-trunc': isSet('Nothing shortened'),
    last: number('N', 'The N newest, running or not', 'n'),
    latest: isSet('The newest, running or not', 'l'),
    size: isSet('How much they wrote', 's'),
    filter: list('NAME=VALUE', 'Only those that match: name, id, status, label, ancestor, ...', 'f'),
    format: formatFlag,
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const client = await context.client()
    // A template that names the size, or all there is, means it.
    const wantsSize = flags.size || /\.Size\b|json \.\s*\}/.test(flags.format ?? '')
    const found = await client.containers.list({
      all: flags.all || undefined,
      limit: flags.latest ? 1 : flags.last,
      size: (wantsSize && !flags.quiet) || undefined,
      filters: filterQuery(flags.filter),
    })
    const isWhole = flags['no-trunc']
    if (flags.quiet) {
      for (const one of found) context.terminal.stdout.write(`${isWhole ? one.Id : shortId(one.Id)}\n`)
      return 0
    }
    const view = { nowMs: context.clock.nowMs(), isWhole, withVirtualSize: true }
    const table = flags.size ? [...CONTAINER_TABLE, 'Size'] : CONTAINER_TABLE
    printListing(
      { headings: CONTAINER_HEADINGS, table, rows: found.map((one) => containerRow(one, view)) },
      flags.format,
      context,
    )
    return 0
  },
})
