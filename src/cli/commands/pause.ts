import { command, type CliContext } from '../command.ts'
import { forEach } from '../for-each.ts'
import { carryFlags, carryOut } from '../services/carry-out.ts'
import { kindOfName } from '../services/kind-of-name.ts'

const pauseContainers = async (refs: readonly string[], context: CliContext): Promise<number> =>
  await forEach(refs, context, (client, ref) => client.containers.pause(ref))

export const pause = command({
  name: 'pause',
  usage: '[FLAGS] CONTAINER|SERVICE...',
  summary: 'Hold all processes of containers still, or services as they are.',
  description:
    'The name decides. A paused container does nothing until `unpause`. A paused service goes on serving: nothing of it is replaced, scaled or rolled until `resume`. A name of both kinds is refused: `glovebox container pause` and `glovebox service pause` take one kind each.',
  examples: [
    ['pause web', 'a container, until `unpause web`'],
    ['pause shop/web', 'a service, until `resume shop/web`'],
  ],
  flags: carryFlags,
  operands: { min: 1, max: Infinity },
  completes: ['running-or-service'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const kinds = await Promise.all(operands.map(async (ref) => await kindOfName(ref, 'pause', client)))
    const of = (kind: string) => operands.filter((_, index) => kinds[index] === kind)
    const services = of('service').map((ref) => ({ ref, verb: { verb: 'pause' } as const }))
    const paused = of('container').length === 0 ? 0 : await pauseContainers(of('container'), context)
    return services.length === 0 ? paused : Math.max(paused, await carryOut(services, flags, context))
  },
})

export const containerPause = command({
  name: 'container pause',
  usage: 'CONTAINER...',
  summary: 'Hold all processes of containers still.',
  examples: [['container pause web', 'until `unpause web`']],
  flags: {},
  operands: { min: 1, max: Infinity },
  completes: ['running'],
  run: async ({ operands }, context) => await pauseContainers(operands, context),
})

export const unpause = command({
  name: 'unpause',
  usage: 'CONTAINER...',
  summary: 'Let the processes of paused containers go on.',
  examples: [['unpause web', 'as if nothing had happened']],
  flags: {},
  operands: { min: 1, max: Infinity },
  completes: ['paused'],
  run: ({ operands }, context) => forEach(operands, context, (client, ref) => client.containers.unpause(ref)),
})
