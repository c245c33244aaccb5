import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { systemCodeOf } from '#base'

import { clientError } from '../errors.ts'

/** What xz may take: its highest preset needs 65 MiB, others may ask for gigabytes. */
const XZ_MEMORY_BYTES = 512 * 1024 * 1024
const MAX_COMPLAINT_CHARACTERS = 8 * 1024

const PROGRAMS = {
  xz: { debianPackage: 'xz-utils', args: ['--decompress', '--stdout', '--no-warn', `--memlimit-decompress=${XZ_MEMORY_BYTES}`] },
  bzip2: { debianPackage: 'bzip2', args: ['--decompress', '--stdout', '--small'] },
} as const

/** Through xz or bzip2 of this machine; Node has neither. Errors: `client.bad_context`. */
export async function* decompressed(format: keyof typeof PROGRAMS, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { args, debianPackage } = PROGRAMS[format]
  const child = spawn(format, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (complaint.length < MAX_COMPLAINT_CHARACTERS) complaint += text
  })
  let absence: unknown
  child.on('error', (error) => void (absence = error))
  const ended = once(child, 'close').catch((error: unknown) => {
    absence = error
    return [null]
  })
  let failure: unknown
  // It may end before it has read all: that is told by its exit.
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
  const [code] = (await ended) as [number | null]
  await fed
  if (systemCodeOf(absence) === 'ENOENT')
    throw clientError('client.bad_context', `the archive on the standard input needs the program ${format}, which is not here`, {
      hint: `Install it: apt-get install ${debianPackage}`,
    })
  if (code !== 0)
    throw clientError(
      'client.bad_context',
      `${format} cannot decompress the archive on the standard input: ${complaint.trim() || String(code)}`,
    )
  if (failure !== undefined)
    throw clientError('client.bad_context', 'the archive on the standard input cannot be read', { cause: failure })
}
