import { command } from '../command.ts'
import { startDaemon } from '../daemon/start-daemon.ts'

export const daemonStart = command({
  name: 'daemon start',
  usage: '',
  summary: 'Start the daemon in the background, where it is started again should it die.',
  examples: [],
  flags: {},
  operands: { min: 0, max: 0 },
  run: async (_invocation, context) => {
    const isNew = await startDaemon(context)
    context.terminal.stdout.write(`${isNew ? 'started' : 'running already'}: ${context.instance.socketPath}\n`)
    return 0
  },
})
