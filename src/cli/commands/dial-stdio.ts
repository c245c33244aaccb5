import { pipeline } from 'node:stream/promises'

import { command } from '../command.ts'

export const dialStdio = command({
  name: 'system dial-stdio',
  usage: '',
  summary: 'Carry the standard streams to the daemon: what `--host ssh://HOST` runs on the other machine.',
  examples: [['system dial-stdio', 'speaks HTTP']],
  flags: {},
  operands: { min: 0, max: 0 },
  run: async (_invocation, context) => {
    const socket = await (await context.client()).connect()
    const { stdin } = context.terminal
    // The question may end long before the answer does; nobody reads questions once the daemon has hung up.
    pipeline(stdin, socket).catch(() => undefined)
    await copyOut(socket, context.terminal.stdout)
    return 0
  },
})

async function copyOut(
  source: AsyncIterable<Uint8Array>,
  sink: { write(bytes: Uint8Array): boolean; drained?(): Promise<void> },
): Promise<void> {
  for await (const chunk of source) if (!sink.write(chunk)) await sink.drained?.()
}
