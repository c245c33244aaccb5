import { isSet, list } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { fetchImages, followEnvironment } from './follow.ts'

export const envSet = command({
  name: 'env set',
  usage: '[FLAGS] NAME --set SERVICE.FIELD=VALUE',
  summary: 'Change an environment, on top of what it is.',
  description: 'What the application became meanwhile is not taken along: make another environment for that.',
  examples: [['env set pr-42 --set api.image=api:1.2', 'the next version']],
  flags: {
    set: list('SERVICE.FIELD=VALUE', 'Another image, replicas, memory, cpus, suspended, environment.NAME'),
    detach: isSet('Do not wait until it is healthy', 'd'),
  },
  operands: { min: 1, max: 1 },
  completes: ['environment'],
  run: async ({ flags, operands: [name = ''] }, context) => {
    if (flags.set.length === 0) throw cliError('cli.usage', '--set is missing: say what is to change')
    const client = await context.client()
    await fetchImages(name, flags.set, client, context)
    const changed = await client.environments.set(name, flags.set)
    for (const line of changed.change.changes) context.terminal.stderr.write(`${line}\n`)
    if (!flags.detach) return await followEnvironment(changed, client, context)
    context.terminal.stdout.write(`${changed.environment.stack}\n`)
    return 0
  },
})
