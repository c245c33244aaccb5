import { refused, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { forEach } from '../for-each.ts'
import { printable } from '../output/colour.ts'
import { compact } from '../run/compact.ts'
import { restartPolicy } from '../run/create-request.ts'
import { limitFlags } from '../run/flags.ts'
import { limits } from '../run/resources.ts'

export const update = command({
  name: 'update',
  usage: '[FLAGS] CONTAINER...',
  summary: 'Change the limits and the restart policy of containers, running or not.',
  examples: [
    ['update -m 512m --memory-swap 1g web', 'more memory'],
    ['update --restart unless-stopped web db', 'start them again from now on'],
  ],
  flags: {
    ...limitFlags,
    restart: text('POLICY', 'no, always, unless-stopped, on-failure[:N]'),
    'kernel-memory': refused('kernels have no limit for it any more'),
  },
  operands: { min: 1, max: Infinity },
  completes: ['container'],
  run: async ({ flags, operands }, context) => {
    const body = compact({ ...limits(flags), RestartPolicy: restartPolicy(flags.restart) })
    if (Object.keys(body).length === 0)
      throw cliError('cli.usage', 'update: nothing to change', { hint: 'Name a limit, such as --memory 512m.' })
    return await forEach(operands, context, async (client, ref) => {
      const { Warnings } = await client.containers.update(ref, body)
      for (const warning of Warnings ?? [])
        context.terminal.stderr.write(`${context.paint('yellow', 'warning:')} ${printable(warning)}\n`)
    })
  },
})
