import { command } from '../command.ts'
import { logFileOf, supervisorPid } from '../daemon/instance-state.ts'
import { isNamespacePinned } from '../daemon/enter-namespace.ts'
import { EXIT_UNREACHABLE } from '../exit-code.ts'
import { renderFields } from '../output/table.ts'

export const daemonStatus = command({
  name: 'daemon status',
  usage: '',
  summary: 'Say whether the daemon runs. Exit code 3 when it does not.',
  examples: [['daemon status', 'what is there, and where its log is']],
  flags: {},
  operands: { min: 0, max: 0 },
  run: async (_invocation, context) => {
    const { instance } = context
    const isAnswering = await (await context.client()).system.isAnswering()
    const supervisor = supervisorPid(instance)
    const state = isAnswering
      ? context.paint('green', 'running')
      : supervisor === undefined
        ? 'not running'
        : context.paint('yellow', 'starting, or starting again')
    context.terminal.stdout.write(
      renderFields([
        ['daemon', state],
        ['socket', instance.socketPath],
        ['supervisor', supervisor === undefined ? 'none' : `process ${supervisor}`],
        ['namespace', isNamespacePinned(instance.runDir) ? `pinned in ${instance.runDir}/ns` : 'none'],
        ['root', instance.root],
        ['log', logFileOf(instance)],
      ]),
    )
    return isAnswering ? 0 : EXIT_UNREACHABLE
  },
})
