import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import type { Random } from '#base'

import { SPOOL_WINDOW_BYTES } from './limits.ts'

/** Bytes on disk that nobody else can reach by name, and that go away with the process. */
export interface Spool extends AsyncDisposable {
  append(chunk: Buffer): Promise<void>
  /** A part of what was appended. Neighbouring small parts cost one read of the disk together. */
  read(offset: number, sizeBytes: number): AsyncIterable<Buffer>
  readonly sizeBytes: number
}

export async function openSpool(directory: string, random: Random): Promise<Spool> {
  const path = join(directory, `spool-${random.bytes(8).toString('hex')}`)
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    await unlink(path)
  } catch (error) {
    await file.close()
    throw error
  }
  return spoolOn(file)
}

/** On a file whose first bytes are there already. */
export function spoolOn(file: FileHandle, startBytes = 0): Spool {
  let sizeBytes = startBytes
  let window: { readonly start: number; readonly bytes: Buffer } | undefined
  const readWindow = async (start: number): Promise<Buffer> => {
    const bytes = Buffer.allocUnsafeSlow(Math.min(SPOOL_WINDOW_BYTES, sizeBytes - start))
    let filled = 0
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    window = { start, bytes: bytes.subarray(0, filled) }
    return window.bytes
  }
  async function* read(offset: number, size: number): AsyncGenerator<Buffer> {
    let at = offset
    const end = offset + size
    while (at < end) {
      const cached = window !== undefined && at >= window.start && end <= window.start + window.bytes.length ? window : undefined
      const bytes = cached === undefined ? await readWindow(at) : cached.bytes.subarray(at - cached.start)
      const part = bytes.subarray(0, end - at)
      if (part.length === 0) return
      yield part
      at += part.length
    }
  }
  const append = async (chunk: Buffer): Promise<void> => {
    let written = 0
    while (written < chunk.length) {
      const { bytesWritten } = await file.write(chunk, written, chunk.length - written, sizeBytes + written)
      written += bytesWritten
    }
    sizeBytes += chunk.length
    window = undefined
  }
  return {
    append,
    read,
    get sizeBytes() {
      return sizeBytes
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}
