import { isSet, refused, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { forEach } from '../for-each.ts'
import { DEFAULT_DETACH_KEYS } from '../run/detach-keys.ts'
import { runAttached } from '../run/run-attached.ts'

const CHECKPOINT = 'the state of processes cannot be saved and restored'

export const start = command({
  name: 'start',
  usage: '[FLAGS] CONTAINER...',
  summary: 'Start containers that were created or have ended.',
  examples: [
    ['start web db', 'start them again'],
    ['start -ai shell', 'start it and join it'],
  ],
  flags: {
    attach: isSet('Stay and show its output', 'a'),
    interactive: isSet('Stay and hand on the standard input', 'i'),
    'detach-keys': text('KEYS', 'Keys that leave it running (default ctrl-p,ctrl-q)'),
    checkpoint: refused(CHECKPOINT),
    'checkpoint-dir': refused(CHECKPOINT),
  },
  operands: { min: 1, max: Infinity },
  completes: ['stopped'],
  run: async ({ flags, operands }, context) => {
    if (!flags.attach && !flags.interactive)
      return await forEach(operands, context, async (client, ref) => void (await client.containers.start(ref)))
    const [ref = '', second] = operands
    if (second !== undefined) throw cliError('cli.usage', `start: one container can be joined, and not ${operands.length}`)
    const client = await context.client()
    const { Id: id, Config, HostConfig, State } = await client.containers.inspect(ref)
    if (State.Running) throw cliError('cli.conflict', `${ref} runs already`, { hint: `Join it with \`glovebox attach ${ref}\`.` })
    const join = {
      id,
      isInteractive: flags.interactive && Config.OpenStdin,
      hasTty: Config.Tty,
      streams: [],
      removesItself: HostConfig?.AutoRemove === true,
      proxiesSignals: true,
      detachKeys: flags['detach-keys'] ?? DEFAULT_DETACH_KEYS,
    }
    return await runAttached(join, client, context)
  },
})
