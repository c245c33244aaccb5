import { isKind } from '#base'

import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { forEach } from '../for-each.ts'
import { objectFormatFlag } from '../listing/object-format.ts'
import { inspectEach } from './inspect-each.ts'

export const networkRm = command({
  name: 'network rm',
  usage: '[FLAGS] NETWORK...',
  summary: 'Remove networks that no container uses.',
  examples: [['network rm app backend', 'two at once']],
  flags: { force: isSet('One that is not there is no failure', 'f') },
  operands: { min: 1, max: Infinity },
  completes: ['network'],
  run: ({ flags, operands }, context) =>
    forEach(operands, context, async (client, ref) => {
      try {
        await client.networks.remove(ref)
      } catch (error) {
        if (!flags.force || !isKind(error, 'not_found')) throw error
      }
    }),
})

export const networkInspect = command({
  name: 'network inspect',
  usage: '[FLAGS] NETWORK...',
  summary: 'Everything the daemon knows of networks, as JSON.',
  examples: [["network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' app", 'its addresses']],
  flags: { format: objectFormatFlag, verbose: isSet('For finding faults; on one machine there is no more to say', 'v') },
  operands: { min: 1, max: Infinity },
  completes: ['network'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const query = { verbose: flags.verbose || undefined }
    return await inspectEach(operands, flags.format, context, (name) => client.networks.inspect(name, query))
  },
})
