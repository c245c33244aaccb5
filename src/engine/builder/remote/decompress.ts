import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { buildError } from '../errors.ts'
import { PROGRAM_ENV, programPath } from './host-programs.ts'
import { MAX_COMPLAINT_BYTES, XZ_MEMORY_BYTES } from './limits.ts'
import type { Decompress } from './port.ts'

/** Everybody's nobody: it needs nothing of this machine but its descriptors. */
const NOBODY = 65534

const PROGRAMS = {
  xz: { debianPackage: 'xz-utils', args: ['--decompress', '--stdout', '--no-warn', `--memlimit-decompress=${XZ_MEMORY_BYTES}`] },
  bzip2: { debianPackage: 'bzip2', args: ['--decompress', '--stdout', '--small'] },
} as const

/** Through the host's xz and bzip2, as nobody, in an empty environment. Errors: `build.program_missing`, `build.context_invalid`. */
export function decompressor(): Decompress {
  return async function* (format, source) {
    const { debianPackage, args } = PROGRAMS[format]
    const program = programPath(format, debianPackage, `an archive compressed with ${format}`)
    const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: PROGRAM_ENV, cwd: '/', ...identity })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < MAX_COMPLAINT_BYTES) complaint += text
    })
    const ended = once(child, 'close')
    ended.catch(() => undefined)
    let failure: unknown
    // The program may end before it has read all: that is told by its exit.
    const fed = pipeline(Readable.from(source, { objectMode: false }), child.stdin).catch(
      (error: unknown) => void (failure = error),
    )
    let isWhole = false
    try {
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk
      isWhole = true
    } finally {
      if (!isWhole) child.kill('SIGKILL')
    }
    const [code, signal] = (await ended) as [number | null, string | null]
    await fed
    if (code !== 0)
      throw buildError('build.context_invalid', `${format} cannot decompress it: ${complaint.trim() || String(signal ?? code)}`)
    if (failure !== undefined) throw failure as Error
  }
}
