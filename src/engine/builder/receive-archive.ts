import { createHash, hash, type Hash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'

import { during, GloveboxError } from '#base'
import { tarPushScanner, type TarEntry } from '#oci/tar'

import { buildError } from './errors.ts'
import type { Decompress } from './remote/index.ts'
import type { Spool } from './spool.ts'

export type ArchiveFormat = 'plain' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** By the first bytes: `plain` is whatever shows no compression. */
export function archiveFormat(head: Buffer): ArchiveFormat {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd'
  if (head.subarray(0, 6).equals(Buffer.from('\xfd7zXZ\x00', 'latin1'))) return 'xz'
  if (head.subarray(0, 3).toString('latin1') === 'BZh') return 'bzip2'
  return 'plain'
}

export interface ReceivedArchive {
  readonly entries: readonly TarEntry[]
  /** Hexadecimal, of a file's body. */
  sha256Of(entry: TarEntry): string
}

/**
 * Takes an archive into the spool, decompressed, while listing its entries and hashing the files: each byte is looked at once.
 * `what` begins error messages. Errors: `tar.*`, `build.context_too_large`, `build.unsupported`, `build.context_invalid`.
 */
export async function receiveArchive(
  source: AsyncIterable<Buffer>,
  spool: Spool,
  options: { readonly what: string; readonly maxBytes: number; readonly decompress?: Decompress | undefined },
): Promise<ReceivedArchive> {
  const bodies = bodyHasher()
  const scanner = tarPushScanner(bodies.expect)
  const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      if (spool.sizeBytes + chunk.length > options.maxBytes)
        throw buildError('build.context_too_large', `${options.what} has more than ${options.maxBytes} bytes`, {
          hint: 'Name what the build does not need in .dockerignore.',
        })
      scanner.push(chunk)
      bodies.push(chunk, spool.sizeBytes)
      await spool.append(chunk)
    }
  }
  try {
    await decompressed(source, options, take)
    scanner.end()
  } catch (error) {
    throw asUserError(error, options.what)
  }
  return { entries: bodies.entries, sha256Of: bodies.sha256Of }
}

async function decompressed(
  source: AsyncIterable<Buffer>,
  { what, decompress }: { readonly what: string; readonly decompress?: Decompress | undefined },
  take: (chunks: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const { head, whole } = await peek(source, 6)
  const format = archiveFormat(head)
  if (format === 'plain') return await take(whole)
  if (format === 'gzip') return await pipeline(whole, createGunzip(), take)
  if (format === 'zstd') return await pipeline(whole, createZstdDecompress(), take)
  if (decompress !== undefined) return await take(decompress(format, whole))
  throw buildError('build.unsupported', `${what} is compressed with ${format}, which is not supported here`, {
    hint: 'Compress with gzip or zstd, or not at all.',
  })
}

/** The first bytes of a stream, and the stream as if nothing had been taken. */
export async function peek(
  source: AsyncIterable<Buffer>,
  headBytes: number,
): Promise<{ readonly head: Buffer; readonly whole: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]()
  const taken: Buffer[] = []
  let length = 0
  let isDone = false
  while (length < headBytes && !isDone) {
    const next = await iterator.next()
    isDone = next.done === true
    if (next.done === true) break
    taken.push(next.value)
    length += next.value.length
  }
  async function* whole(): AsyncGenerator<Buffer> {
    try {
      yield* taken
      while (!isDone) {
        const next = await iterator.next()
        if (next.done === true) break
        yield next.value
      }
      isDone = true
    } finally {
      if (!isDone) await iterator.return?.()
    }
  }
  return { head: Buffer.concat(taken).subarray(0, headBytes), whole: whole() }
}

/** Hashes the bodies of files out of the chunks of an archive, in step with the scanner. */
function bodyHasher() {
  const entries: TarEntry[] = []
  const digests = new Map<number, string>()
  let pending = 0
  let partial: Hash | undefined
  const empty = hash('sha256', '', 'hex')
  const push = (chunk: Buffer, start: number): void => {
    for (; pending < entries.length; pending += 1) {
      const entry = entries[pending]
      if (entry === undefined || entry.size === 0) continue
      const from = Math.max(entry.dataOffset - start, 0)
      const bodyEnd = entry.dataOffset + entry.size - start
      if (from >= chunk.length) return
      const part = chunk.subarray(from, bodyEnd)
      const isComplete = bodyEnd <= chunk.length
      if (isComplete && partial === undefined) {
        digests.set(entry.dataOffset, hash('sha256', part, 'hex'))
        continue
      }
      partial ??= createHash('sha256')
      partial.update(part)
      if (!isComplete) return
      digests.set(entry.dataOffset, partial.digest('hex'))
      partial = undefined
    }
  }
  return {
    entries,
    expect: (entry: TarEntry) => void entries.push(entry),
    push,
    sha256Of: (entry: TarEntry) => digests.get(entry.dataOffset) ?? empty,
  }
}

/** A broken archive is the sender's doing: errors of zlib must not end as internal ones. */
function asUserError(error: unknown, what: string): GloveboxError {
  if (error instanceof GloveboxError) return during(`read ${what}`, error)
  return buildError(
    'build.context_invalid',
    `${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
    },
  )
}
