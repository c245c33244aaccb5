import { isSet, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { errorText } from '../exit-code.ts'
import { createRequest } from '../run/create-request.ts'
import { DEFAULT_DETACH_KEYS } from '../run/detach-keys.ts'
import { startFailureCode, withImageHint } from '../run/exit-codes.ts'
import { createFlags } from '../run/flags.ts'
import { runAttached } from '../run/run-attached.ts'

export const run = command({
  name: 'run',
  usage: '[FLAGS] IMAGE [COMMAND...]',
  summary: 'Create and start a container.',
  description:
    'The exit code is that of the container. 125: the daemon refused; 126: the command cannot be executed; 127: there is no such command.',
  examples: [
    ['run --rm -it debian:bookworm bash', 'a shell in a throw-away container'],
    ['run -d --name web -p 8080:80 -m 256m web:1', 'a service in the background'],
    ['run --rm -v ./data:/data debian:bookworm ls /data', 'look into a directory'],
  ],
  flags: {
    detach: isSet('Leave it in the background and print its id', 'd'),
    interactive: isSet('Hand on the standard input', 'i'),
    tty: isSet('Give it a terminal', 't'),
    rm: isSet('Remove it when it ends'),
    'sig-proxy': text('true|false', 'Hand on signals (default true)'),
    'detach-keys': text('KEYS', 'Keys that leave it running (default ctrl-p,ctrl-q)'),
    ...createFlags,
  },
  operands: { min: 1, max: Infinity },
  stopsAtOperand: true,
  run: async ({ flags, operands }, context) => {
    const [image = '', ...words] = operands
    const { stdout, stdin, stderr } = context.terminal
    if (flags.tty && flags.interactive && !flags.detach && !stdin.isTTY)
      throw cliError('cli.usage', 'the standard input is not a terminal', {
        hint: 'Leave -t out when input comes from a pipe or a file.',
      })
    const proxiesSignals = readTruth(flags['sig-proxy'])
    const consoleSize = flags.tty && stdout.isTty ? ([stdout.rows, stdout.columns] as const) : undefined
    const attachment = {
      isInteractive: flags.interactive,
      hasTty: flags.tty,
      isDetached: flags.detach,
      removesItself: flags.rm,
      consoleSize,
    }
    const body = createRequest(image, words, flags, attachment, context)
    const client = await context.client()
    try {
      const { Id: id, Warnings } = await client.containers.create(body, flags.name)
      for (const warning of Warnings ?? []) stderr.write(`${context.paint('yellow', 'warning:')} ${warning}\n`)
      if (!flags.detach)
        return await runAttached(
          { ...attachment, id, proxiesSignals, detachKeys: flags['detach-keys'] ?? DEFAULT_DETACH_KEYS },
          client,
          context,
        )
      await client.containers.start(id)
      stdout.write(`${id}\n`)
      return 0
    } catch (error) {
      stderr.write(errorText(withImageHint(error, image), context.paint))
      return startFailureCode(error)
    }
  },
})

function readTruth(word: string | undefined): boolean {
  if (word === undefined || word === 'true') return true
  if (word === 'false') return false
  throw cliError('cli.usage', `--sig-proxy: ${JSON.stringify(word)} is neither true nor false`)
}
