import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { objectFormatFlag } from '../listing/object-format.ts'
import { inspectEach } from './inspect-each.ts'

export const containerInspect = command({
  name: 'container inspect',
  usage: '[FLAGS] CONTAINER...',
  summary: 'Everything the daemon knows of containers, as JSON.',
  examples: [["container inspect -f '{{.State.Pid}}' web", 'the number of its process']],
  flags: { size: isSet('Also how much it wrote', 's'), format: objectFormatFlag },
  operands: { min: 1, max: Infinity },
  completes: ['container'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const query = { size: flags.size || undefined }
    return await inspectEach(operands, flags.format, context, (name) => client.containers.inspect(name, query))
  },
})
