import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { errorText } from '../exit-code.ts'
import { attachmentOf, createContainer } from '../run/create-container.ts'
import { DEFAULT_DETACH_KEYS } from '../run/detach-keys.ts'
import { EXIT_DAEMON, startFailureCode, withImageHint } from '../run/exit-codes.ts'
import { createFlags, joinFlags } from '../run/flags.ts'
import { requireTerminal } from '../run/require-terminal.ts'
import { runAttached } from '../run/run-attached.ts'

export const run = command({
  name: 'run',
  usage: '[FLAGS] IMAGE [COMMAND...]',
  summary: 'Create and start a container.',
  description:
    'The exit code is that of the container. 125: it could not be made (a wrong flag, no daemon, a refusal); 126: the command cannot be executed; 127: there is no such command.',
  examples: [
    ['run --rm -it debian:bookworm bash', 'a shell in a throw-away container'],
    ['run -d --name web -p 8080:80 -m 256m web:1', 'a service in the background'],
    ['run --rm -v ./data:/data debian:bookworm ls /data', 'look into a directory'],
    [
      'run -d --network app --network-alias db -v pgdata:/var/lib/postgresql/data postgres:16',
      'a database on a network of its own',
    ],
  ],
  flags: { detach: isSet('Leave it in the background and print its id', 'd'), ...joinFlags, ...createFlags },
  operands: { min: 1, max: Infinity },
  completes: ['image', []],
  stopsAtOperand: true,
  failureCode: EXIT_DAEMON,
  run: async ({ flags, operands }, context) => {
    const [image = '', ...words] = operands
    if (!flags.detach) requireTerminal(flags, context)
    const attachment = attachmentOf(flags, flags.detach, context)
    const client = await context.client()
    try {
      const id = await createContainer({ image, words, flags, attachment }, client, context)
      if (!flags.detach) {
        const join = {
          ...attachment,
          id,
          proxiesSignals: flags['sig-proxy'],
          detachKeys: flags['detach-keys'] ?? DEFAULT_DETACH_KEYS,
        }
        return await runAttached(join, client, context)
      }
      await client.containers.start(id)
      context.terminal.stdout.write(`${id}\n`)
      return 0
    } catch (error) {
      context.terminal.stderr.write(errorText(withImageHint(error, image), context.paint))
      return startFailureCode(error)
    }
  },
})
