import { command } from '../command.ts'
import { daemonFlags } from '../daemon/daemon-arguments.ts'
import { startDaemon } from '../daemon/start-daemon.ts'

export const daemonStart = command({
  name: 'daemon start',
  usage: '[FLAGS]',
  summary: 'Start the daemon in the background, where it is started again should it die.',
  examples: [
    ['daemon start', 'it goes on when you log out'],
    ['daemon start --run-dir /run/second --root /srv/second', 'another one beside it'],
  ],
  flags: daemonFlags,
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const isNew = await startDaemon(context, flags)
    context.terminal.stdout.write(`${isNew ? 'started' : 'running already'}: ${context.instance.socketPath}\n`)
    if (!isNew && flags.layers !== undefined)
      context.terminal.stderr.write(
        `${context.paint('yellow', 'warning:')} --layers has no effect on a daemon that runs already\n`,
      )
    return 0
  },
})
