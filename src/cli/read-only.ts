import { runCli } from './cli.ts'
import { findCommand } from './find-command.ts'

/** Commands that look and change nothing, read neither files nor the standard input, and end by themselves. */
const READ_ONLY: ReadonlySet<string> = new Set([
  'ps',
  'port',
  'container diff',
  'service ls',
  'service ps',
  'service inspect',
  'service history',
  'node ls',
  'node inspect',
  'image ls',
  'image history',
  'network ls',
  'volume ls',
  'system df',
  'inspect',
  'container inspect',
  'image inspect',
  'network inspect',
  'volume inspect',
  'env ls',
  'jobs ls',
  'secret ls',
  'config ls',
  '__complete',
])

/** More than this is printed better as it comes. */
const MAX_CHARS = 8 * 1024 * 1024

/** What a read-only command prints on the standard output; null for any other command, and for one that fails or says anything else. */
export async function readOnlyOutput(words: readonly string[], socketPath: string): Promise<string | null> {
  if (!isReadOnly(words)) return null
  let text = ''
  let isPlain = true
  const stdout = sink((part) => (text += text.length > MAX_CHARS ? '' : part))
  const stderr = sink(() => (isPlain = false))
  const code = await runCli({
    words: ['--socket', socketPath, ...words],
    env: {},
    cwd: '/',
    home: '/',
    stdin: () => {
      throw new Error('a read-only command has no standard input')
    },
    stdout,
    stderr,
    onSignal: () => ({ [Symbol.dispose]: () => undefined }),
  })
  return code === 0 && isPlain && text.length <= MAX_CHARS ? text : null
}

function isReadOnly(words: readonly string[]): boolean {
  try {
    const found = findCommand(words)
    return found.kind === 'command' && READ_ONLY.has(found.entry.name)
  } catch {
    // The program itself says what is wrong with the words.
    return false
  }
}

/** Just what is written to: no terminal, no colour, never full. */
function sink(take: (text: string) => unknown): NodeJS.WriteStream {
  const write = (part: string | Uint8Array) => {
    take(typeof part === 'string' ? part : Buffer.from(part).toString('utf8'))
    return true
  }
  return { write, once: () => undefined, isTTY: false } as unknown as NodeJS.WriteStream
}
