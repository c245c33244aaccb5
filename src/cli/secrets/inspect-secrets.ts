import type { SecretDetails, SecretKind } from '#api/glovebox'

import { isSet } from '../args/flags.ts'
import { command, type Command } from '../command.ts'
import { inspectEach } from '../commands/inspect-each.ts'
import { cliError } from '../errors.ts'
import { objectFormatFlag } from '../listing/object-format.ts'
import { printable } from '../output/colour.ts'

/** `secret inspect` and `config inspect`. */
export function inspectSecrets(kind: SecretKind): Command {
  const summary =
    kind === 'secret'
      ? 'What may be known of secrets, as JSON: never the value.'
      : 'Everything the daemon knows of configs, as JSON; the value in base64.'
  return command({
    name: `${kind} inspect`,
    usage: `[FLAGS] ${kind.toUpperCase()}...`,
    summary,
    examples: [
      [`${kind} inspect -f '{{.usedBy}}' app.key`, 'which services mount it'],
      [`${kind} inspect --pretty app.key`, 'for people'],
    ],
    flags: { format: objectFormatFlag, pretty: isSet('As lines for people, not as JSON') },
    operands: { min: 1, max: Infinity },
    completes: [kind],
    run: async ({ flags, operands }, context) => {
      if (flags.pretty && flags.format !== undefined) throw cliError('cli.usage', '--pretty and --format: say one of them')
      const { secrets } = await context.client()
      const look = async (name: string) => await secrets.inspect(kind, name)
      if (!flags.pretty) return await inspectEach(operands, flags.format, context, look)
      const pages: string[] = []
      for (const name of operands) pages.push(secretPage(await look(name)))
      context.terminal.stdout.write(pages.join('\n'))
      return 0
    },
  })
}

/** A line for each thing that is known; a config's value as it is, below. */
export function secretPage(details: SecretDetails): string {
  const { id, name, labels, version, fingerprint, createdAtMs, updatedAtMs, usedBy, value } = details
  const time = (ms: number) => new Date(ms).toISOString()
  const lines = [
    ['ID', id],
    ['Name', name],
    ['Version', String(version)],
    ['Fingerprint', fingerprint],
    ['Created', time(createdAtMs)],
    ['Updated', time(updatedAtMs)],
    ['Used by', usedBy.join(', ') || 'nobody'],
    ...Object.entries(labels).map(([key, text]) => ['Label', `${key}=${text}`]),
  ]
  const width = Math.max(...lines.map(([title = '']) => title.length)) + 2
  const head = lines.map(([title = '', text = '']) => `${`${title}:`.padEnd(width)}${printable(text)}\n`).join('')
  if (value === undefined) return head
  const text = Buffer.from(value, 'base64').toString('utf8').replace(/\n$/, '')
  return `${head}\n${text.split('\n').map(printable).join('\n')}\n`
}
