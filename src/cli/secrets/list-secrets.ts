import type { SecretKind, SecretView } from '#api/glovebox'

import { isSet, list } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { formatFlag, printList } from '../list-format.ts'
import { roughDuration } from '../output/units.ts'

const FILTERS = ['name', 'id', 'label'] as const

/** `secret ls` and `config ls`. */
export function listSecrets(kind: SecretKind) {
  return command({
    name: `${kind} ls`,
    usage: '[FLAGS]',
    summary: `List ${kind}s.`,
    examples: [
      [`${kind} ls`, `all ${kind}s`],
      [`${kind} ls --filter label=team=shop`, 'those of one team'],
    ],
    flags: {
      filter: list('NAME=VALUE', 'Only those that match: name, id, label', 'f'),
      quiet: isSet('Ids only', 'q'),
      format: formatFlag,
    },
    operands: { min: 0, max: 0 },
    run: async ({ flags }, context) => {
      const filters = flags.filter.map(readFilter)
      const found = await (await context.client()).secrets.list(kind)
      const rows = found.filter((one) => filters.every((matches) => matches(one)))
      const ago = (ms: number) => `${roughDuration(context.clock.nowMs() - ms)} ago`
      if (flags.quiet) {
        for (const { id } of rows) context.terminal.stdout.write(`${id}\n`)
        return 0
      }
      const columns = [
        { title: 'ID', cell: ({ id }: SecretView) => id },
        { title: 'NAME', cell: ({ name }: SecretView) => name },
        { title: 'VERSION', align: 'right', cell: ({ version }: SecretView) => String(version) },
        { title: 'CREATED', cell: ({ createdAtMs }: SecretView) => ago(createdAtMs) },
        { title: 'UPDATED', cell: ({ updatedAtMs }: SecretView) => ago(updatedAtMs) },
      ] as const
      printList({ columns, rows }, flags.format, context)
      return 0
    },
  })
}

/** As docker's: a part of the name, the beginning of the id, a label with or without its value. Error: `cli.usage`. */
function readFilter(text: string): (one: SecretView) => boolean {
  const [name = '', ...rest] = text.split('=')
  const value = rest.join('=')
  switch (FILTERS.find((known) => known === name)) {
    case 'name':
      return (one) => one.name.includes(value)
    case 'id':
      return ({ id }) => id.startsWith(value)
    case 'label': {
      const [key = '', ...wanted] = value.split('=')
      return ({ labels }) => Object.hasOwn(labels, key) && (wanted.length === 0 || labels[key] === wanted.join('='))
    }
    case undefined:
      throw cliError('cli.usage', `--filter ${text}: choose one of ${FILTERS.join(', ')}`)
  }
}
