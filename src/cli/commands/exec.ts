import { isSet, list, naming, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { errorText, exitCodeOf } from '../exit-code.ts'
import { DEFAULT_DETACH_KEYS } from '../run/detach-keys.ts'
import { EXIT_DAEMON, startFailureCode } from '../run/exit-codes.ts'
import { environment } from '../run/pairs.ts'
import { requireTerminal } from '../run/require-terminal.ts'
import { session } from '../run/session.ts'

export const exec = command({
  name: 'exec',
  usage: '[FLAGS] CONTAINER COMMAND...',
  summary: 'Run a command inside a running container.',
  description: 'The exit code is that of the command.',
  examples: [
    ['exec -it web bash', 'a shell beside the application'],
    ['exec -u postgres db psql -c "select 1"', 'as another user'],
  ],
  flags: {
    detach: isSet('Leave it in the background', 'd'),
    interactive: isSet('Hand on the standard input', 'i'),
    tty: isSet('Give it a terminal', 't'),
    env: list('NAME=VALUE', 'Environment; NAME alone takes the value from here', 'e'),
    'env-file': naming('file', list('FILE', 'Environment from a file of NAME=VALUE lines')),
    user: text('USER[:GROUP]', 'Who the process is', 'u'),
    workdir: text('DIR', 'Working directory', 'w'),
    privileged: isSet('Everything that this host can give'),
    'detach-keys': text('KEYS', 'Keys that leave it running (default ctrl-p,ctrl-q)'),
  },
  operands: { min: 2, max: Infinity },
  completes: ['running', []],
  stopsAtOperand: true,
  run: async ({ flags, operands }, context) => {
    const [ref = '', ...words] = operands
    const { stdout, stderr } = context.terminal
    if (!flags.detach) requireTerminal(flags, context)
    const ConsoleSize = flags.tty && stdout.isTty ? [stdout.rows, stdout.columns] : undefined
    const client = await context.client()
    try {
      const id = await client.containers.createExec(ref, {
        Cmd: words,
        Env: environment(flags['env-file'], flags.env, context.env),
        AttachStdin: flags.interactive && !flags.detach,
        AttachStdout: !flags.detach,
        AttachStderr: !flags.detach,
        Tty: flags.tty,
        Privileged: flags.privileged,
        User: flags.user ?? '',
        WorkingDir: flags.workdir ?? '',
        ConsoleSize,
        DetachKeys: flags['detach-keys'],
      })
      const begin = { Detach: flags.detach, Tty: flags.tty, ConsoleSize }
      if (flags.detach) {
        await client.containers.startExecDetached(id, begin)
        return 0
      }
      const options = {
        isInteractive: flags.interactive,
        hasTty: flags.tty,
        detachKeys: flags['detach-keys'] ?? DEFAULT_DETACH_KEYS,
        resize: (size: { rows: number; columns: number }) => client.containers.resizeExec(id, size),
      }
      const outcome = await session(await client.containers.startExec(id, begin), options, context)
      if (outcome === 'detached') return 0
      return (await client.containers.inspectExec(id)).ExitCode ?? EXIT_DAEMON
    } catch (error) {
      stderr.write(errorText(error, context.paint))
      // A container that is not there is a plain failure, and a daemon that is not there has its own code; docker exec knows 1 only.
      const code = startFailureCode(error)
      return code === EXIT_DAEMON ? exitCodeOf(error) : code
    }
  },
})
