import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { forEach } from '../for-each.ts'
import { objectFormatFlag } from '../listing/object-format.ts'
import { inspectEach } from './inspect-each.ts'

export const volumeRm = command({
  name: 'volume rm',
  usage: '[FLAGS] VOLUME...',
  summary: 'Remove volumes that no container uses, with all that is in them.',
  examples: [['volume rm cache', 'what was in it is gone']],
  flags: { force: isSet('One that is not there is no failure', 'f') },
  operands: { min: 1, max: Infinity },
  completes: ['volume'],
  run: ({ flags, operands }, context) =>
    forEach(operands, context, (client, name) => client.volumes.remove(name, { force: flags.force || undefined })),
})

export const volumeInspect = command({
  name: 'volume inspect',
  usage: '[FLAGS] VOLUME...',
  summary: 'Everything the daemon knows of volumes, as JSON.',
  examples: [["volume inspect -f '{{.Mountpoint}}' pgdata", 'where its files are']],
  flags: { format: objectFormatFlag },
  operands: { min: 1, max: Infinity },
  completes: ['volume'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    return await inspectEach(operands, flags.format, context, (name) => client.volumes.inspect(name))
  },
})
