import { spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs'
import { once } from 'node:events'

import { messageOf } from '#base'

/** Where Debian's package `isal` and a build by hand put it; never looked for on a PATH that somebody else may have set. */
const PLACES = ['/usr/bin/igzip', '/usr/local/bin/igzip']
/** Its best: a tenth more bytes than zlib's 5, in a sixth of the time. */
const LEVEL = 3
/** Everybody's nobody: it needs nothing of this machine but its two descriptors. */
const NOBODY = 65534

/** The program, where it is installed. */
export function findIgzip(): string | undefined {
  return PLACES.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * A file as gzip, through the program igzip: as nobody, without an environment, with the file as its input. Neither time nor name is in
 * what it writes. `onProgress` counts what it has read. Throws when the program cannot be started or ends otherwise than well.
 */
export async function* igzipped(
  program: string,
  path: string,
  onProgress: (takenBytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const input = openSync(path, 'r')
  try {
    const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
    const child = spawn(program, ['--stdout', '--no-name', `-${LEVEL}`], {
      stdio: [input, 'pipe', 'ignore'],
      env: {},
      cwd: '/',
      ...identity,
    })
    const ended = once(child, 'close')
    // Awaited below; a failed start must not count as unhandled meanwhile.
    ended.catch(() => undefined)
    try {
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
        onProgress(positionOf(input))
        yield chunk
      }
    } finally {
      child.kill('SIGKILL')
    }
    const [code, signal] = (await ended.catch((error: unknown) => [messageOf(error), null])) as [
      number | string | null,
      string | null,
    ]
    if (code !== 0) throw new Error(`${program} ended with ${signal ?? code}`)
  } finally {
    closeSync(input)
  }
}

/** The file is open once, for us and for the program: where it reads next (proc(5), fdinfo). */
function positionOf(descriptor: number): number {
  const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')
  return Number(/^pos:\s+(\d+)$/m.exec(text)?.[1] ?? 0)
}
