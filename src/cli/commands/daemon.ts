import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { command } from '../command.ts'
import { daemonArguments, daemonFlags } from '../daemon/daemon-arguments.ts'
import { becomeInside, pinNamespace } from '../daemon/enter-namespace.ts'
import { REQUIREMENTS } from '../daemon/host-packages.ts'
import { ensurePrograms } from '../daemon/install-packages.ts'
import { requireRoot } from '../daemon/start-daemon.ts'
import { ensureSupervisor } from '../daemon/supervisor-program.ts'
import { cliError } from '../errors.ts'

/**
 * The half of V8's young generation, in MB. With its own choice of 16 the daemon grows by 60 MB over a few hundred starts of containers, which leave
 * 30 KB each behind; so small, it is collected before it gets there.
 */
const YOUNG_GENERATION = '--max-semi-space-size=4'

export const daemon = command({
  name: 'daemon',
  usage: '[FLAGS]',
  summary: 'Run the daemon in the foreground.',
  description:
    'It works in a mount namespace of its own, pinned in the run directory, so that its mounts outlive it and none of them is seen by the host. Containers go on when it ends, and are taken over by the next one.',
  examples: [['daemon --root /srv/glovebox --run-dir /run/second', 'a second instance beside the first']],
  flags: daemonFlags,
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    requireRoot()
    await ensurePrograms(REQUIREMENTS, context)
    await ensureSupervisor(context)
    const program = join(context.home, 'build/daemon.js')
    if (!existsSync(program))
      throw cliError('cli.daemon_died', `the daemon is not built: ${program} is missing`, {
        hint: 'Build it with `npm run build`.',
      })
    const args = [YOUNG_GENERATION, program, ...daemonArguments(context.instance, '--name', flags)]
    await pinNamespace(context.instance.runDir, context.env)
    return becomeInside(context.instance.runDir, { program: process.execPath, args }, context.env)
  },
})
