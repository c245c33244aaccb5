import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { attachRunning } from '../run/attach-running.ts'
import { DEFAULT_DETACH_KEYS } from '../run/detach-keys.ts'
import { joinFlags } from '../run/flags.ts'

export const attach = command({
  name: 'attach',
  usage: '[FLAGS] CONTAINER',
  summary: 'Join a running container: its output here, your typing there.',
  description: 'Ctrl-P Ctrl-Q leaves it running. The exit code is that of the container when it ends meanwhile.',
  examples: [
    ['attach shell', 'back to what was left with Ctrl-P Ctrl-Q'],
    ['attach --no-stdin --sig-proxy=false web', 'watch only: Ctrl-C ends the watching'],
  ],
  flags: { 'no-stdin': isSet('Hand on no input'), ...joinFlags },
  operands: { min: 1, max: 1 },
  completes: ['running'],
  run: async ({ flags, operands: [ref = ''] }, context) => {
    const client = await context.client()
    const { Id: id, State, Config } = await client.containers.inspect(ref)
    if (!State.Running)
      throw cliError('cli.conflict', `${ref} does not run`, { hint: `Start it with \`glovebox start -ai ${ref}\`.` })
    if (State.Paused === true)
      throw cliError('cli.conflict', `${ref} is paused`, { hint: `Let it go on with \`glovebox unpause ${ref}\`.` })
    const join = {
      id,
      isInteractive: Config.OpenStdin && !flags['no-stdin'],
      hasTty: Config.Tty,
      streams: [],
      proxiesSignals: flags['sig-proxy'],
      detachKeys: flags['detach-keys'] ?? DEFAULT_DETACH_KEYS,
    }
    return await attachRunning(join, client, context)
  },
})
