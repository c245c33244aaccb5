import { isKind } from '#base'
import type { Client } from '#client'

import { choice, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { fillTemplate } from '../output/template.ts'

export const inspect = command({
  name: 'inspect',
  usage: '[FLAGS] NAME...',
  summary: 'Everything the daemon knows of containers or images, as JSON.',
  examples: [
    ['inspect web', 'all of it'],
    ["inspect --format '{{.State.Status}}' web", 'one field'],
  ],
  flags: {
    type: choice(['container', 'image'], 'Where to look (default: containers, then images)'),
    format: text('TEMPLATE', "A template such as '{{.State.Pid}}'", 'f'),
  },
  operands: { min: 1, max: Infinity },
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const found: unknown[] = []
    for (const name of operands) found.push(await look(client, name, flags.type))
    const { format } = flags
    if (format === undefined) context.terminal.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
    else for (const one of found) context.terminal.stdout.write(`${fillTemplate(format, one)}\n`)
    return 0
  },
})

async function look(client: Client, name: string, type: 'container' | 'image' | undefined): Promise<unknown> {
  const ways = [
    ...(type === 'image' ? [] : [() => client.containers.inspect(name)]),
    ...(type === 'container' ? [] : [() => client.images.inspect(name)]),
  ]
  for (const way of ways) {
    try {
      return await way()
    } catch (error) {
      if (!isKind(error, 'not_found')) throw error
    }
  }
  throw cliError('cli.not_found', `no such ${type ?? 'container or image'}: ${name}`)
}
