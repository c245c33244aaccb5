import { createHash, hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

import { buildError } from '../errors.ts'

/** Content as it was put into the pack. */
export interface TakenBody {
  readonly offset: number
  readonly sizeBytes: number
  readonly sha256: string
}

const LENGTH_BYTES = 8
/** Gathered before they are written: contexts are many small files. */
const WRITE_BYTES = 1024 * 1024

/**
 * Appends the bodies that come, each as eight bytes of length and its bytes, from `startByte` on; gives where they lie. Errors:
 * `build.context_invalid` when there are more or fewer, `build.context_too_large`.
 */
export async function takeBodies(
  source: AsyncIterable<Buffer>,
  file: FileHandle,
  { count, startByte, maxBytes }: { readonly count: number; readonly startByte: number; readonly maxBytes: number },
): Promise<readonly TakenBody[]> {
  const taken: TakenBody[] = []
  let offset = startByte
  let batch: Buffer[] = []
  let batchBytes = 0
  const flush = async () => {
    let written = 0
    const bytes = Buffer.concat(batch)
    while (written < bytes.length)
      written += (await file.write(bytes, written, bytes.length - written, offset - batchBytes + written)).bytesWritten
    batch = []
    batchBytes = 0
  }
  const put = async (chunk: Buffer) => {
    batch.push(chunk)
    batchBytes += chunk.length
    offset += chunk.length
    if (batchBytes >= WRITE_BYTES) await flush()
  }
  const reader = byteReader(source)
  while (taken.length < count) {
    const sizeBytes = Number((await reader.exactly(LENGTH_BYTES)).readBigUInt64BE())
    if (offset - startByte + sizeBytes > maxBytes)
      throw buildError('build.context_too_large', `the build context has more than ${maxBytes} bytes`, {
        hint: 'Name what the build does not need in .dockerignore.',
      })
    const at = offset
    taken.push({ offset: at, sizeBytes, sha256: await reader.hashed(sizeBytes, put) })
  }
  await flush()
  if (!(await reader.isAtEnd())) throw invalid('more files came than were asked for')
  return taken
}

function byteReader(source: AsyncIterable<Buffer>) {
  const iterator = source[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const next = await iterator.next()
    if (next.done === true) return false
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value])
    return true
  }
  const part = (bytes: number): Buffer => {
    const taken = rest.subarray(0, bytes)
    rest = rest.subarray(taken.length)
    return taken
  }
  return {
    exactly: async (bytes: number): Promise<Buffer> => {
      while (rest.length < bytes) if (!(await more())) throw invalid('it ends in the middle of a file')
      return part(bytes)
    },
    hashed: async (bytes: number, put: (chunk: Buffer) => Promise<void>): Promise<string> => {
      if (rest.length >= bytes) {
        const whole = part(bytes)
        await put(whole)
        return hash('sha256', whole, 'hex')
      }
      const digest = createHash('sha256')
      for (let left = bytes; left > 0;) {
        if (rest.length === 0 && !(await more())) throw invalid('it ends in the middle of a file')
        const chunk = part(left)
        digest.update(chunk)
        await put(chunk)
        left -= chunk.length
      }
      return digest.digest('hex')
    },
    isAtEnd: async (): Promise<boolean> => rest.length === 0 && !(await more()),
  }
}

function invalid(why: string) {
  return buildError('build.context_invalid', `the build context cannot be read: ${why}`)
}
