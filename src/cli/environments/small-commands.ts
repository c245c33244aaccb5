import { text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { forEach } from '../for-each.ts'
import { localTime } from '../output/units.ts'
import { readLife } from './life.ts'

export const envExtend = command({
  name: 'env extend',
  usage: 'NAME --ttl TIME',
  summary: 'Let an environment stay for another time, counted from now.',
  examples: [
    ['env extend pr-42 --ttl 2d', 'two days from now'],
    ['env extend pr-42 --ttl never', 'until it is removed'],
  ],
  flags: { ttl: text('TIME', 'It stays so long from now: 12h, 3d, never') },
  operands: { min: 1, max: 1 },
  completes: ['environment'],
  run: async ({ flags, operands: [name = ''] }, context) => {
    if (flags.ttl === undefined) throw cliError('cli.usage', '--ttl is missing: say how long it is to stay')
    const { expiresAtMs } = await (await context.client()).environments.extend(name, readLife(flags.ttl))
    context.terminal.stdout.write(`${name} ${expiresAtMs === null ? 'stays' : `ends ${localTime(expiresAtMs)}`}\n`)
    return 0
  },
})

export const envRm = command({
  name: 'env rm',
  usage: 'NAME...',
  summary: 'Remove environments: their containers, networks, volumes and secrets of their own.',
  examples: [['env rm pr-42', 'and wait until it is gone']],
  flags: {},
  operands: { min: 1, max: Infinity },
  completes: ['environment'],
  run: ({ operands }, context) =>
    forEach(operands, context, async (client, name) => void (await client.environments.remove(name))),
})
