import type { Difference } from '#api/glovebox'

import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { formatFlag, printList } from '../list-format.ts'
import { printable } from '../output/colour.ts'

export const envDiff = command({
  name: 'env diff',
  usage: '[FLAGS] LEFT RIGHT',
  summary: 'Say what differs between two environments or applications.',
  description:
    'Names, ports, hosts and what else never is the same in a copy is left out, unless --all says otherwise. The exit code is 0 when nothing differs, and 1 otherwise.',
  examples: [
    ['env diff shop pr-42', 'a copy against its application'],
    ['env diff --all pr-42 pr-43', 'every field'],
  ],
  flags: { all: isSet('Everything, also what copies never have in common', 'a'), format: formatFlag },
  operands: { min: 2, max: 2 },
  completes: ['application'],
  run: async ({ flags, operands: [left = '', right = ''] }, context) => {
    const rows = await (await context.client()).environments.diff(left, right, { all: flags.all })
    const columns = [
      { title: 'FIELD', cell: ({ path }: Difference) => printable(path) },
      { title: left.toUpperCase(), cell: (row: Difference) => valueText(row.left) },
      { title: right.toUpperCase(), cell: (row: Difference) => valueText(row.right) },
    ] as const
    const isTable = flags.format === undefined || flags.format === 'table'
    if (rows.length > 0 || !isTable) printList({ columns, rows }, flags.format, context)
    return rows.length === 0 ? 0 : 1
  },
})

function valueText(json: string | null): string {
  return json === null ? '-' : printable(json)
}
