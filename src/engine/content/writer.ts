import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

import { WRITE_BATCH_BYTES } from './limits.ts'

/** A file that is not there until it is whole: written beside its place, flushed, then renamed. */
export interface FileWriter {
  /** Resolves when there is room for more; keeps the chunk, so it must not change afterwards. */
  write(chunk: Uint8Array): Promise<void>
  /** Flushes it to the disk and puts it in its place. */
  commit(path: string): Promise<void>
  /** Closes it and leaves it under its temporary name, not flushed to the disk: for what a crash makes worthless anyway. */
  keep(): Promise<void>
  /** Removes what was written. After `commit` or `keep`: nothing. */
  [Symbol.asyncDispose](): Promise<void>
}

/** `temporaryPath` must not exist, and be on the file system of the final place. */
export async function fileWriter(temporaryPath: string): Promise<FileWriter> {
  const file = await open(temporaryPath, 'wx', 0o600)
  let isOpen = true
  let isPlaced = false
  let batch: Uint8Array[] = []
  let batchBytes = 0
  // One write is under way while the next batch is gathered and hashed.
  let underWay: Promise<void> = Promise.resolve()
  const flush = async () => {
    await underWay
    const chunks = batch
    batch = []
    batchBytes = 0
    underWay = writeAll(file, chunks)
    // Whoever awaits it next gets the error; this only keeps it from counting as unhandled until then.
    underWay.catch(() => undefined)
  }
  const close = async () => {
    if (!isOpen) return
    isOpen = false
    await file.close()
  }
  return {
    write: async (chunk) => {
      batch.push(chunk)
      batchBytes += chunk.length
      if (batchBytes >= WRITE_BATCH_BYTES) await flush()
    },
    commit: async (path) => {
      await flush()
      await underWay
      await file.sync()
      await close()
      await rename(temporaryPath, path)
      isPlaced = true
      await syncDirectory(dirname(path))
    },
    keep: async () => {
      await flush()
      await underWay
      await close()
      isPlaced = true
    },
    [Symbol.asyncDispose]: async () => {
      await underWay.catch(() => undefined)
      await close()
      if (!isPlaced) await unlink(temporaryPath)
    },
  }
}

/** A rename is only as durable as the directory that it happened in. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  if (chunks.length === 0) return
  let left = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  let rest = [...chunks]
  while (left > 0) {
    const { bytesWritten } = await file.writev(rest)
    left -= bytesWritten
    if (left > 0) rest = afterBytes(rest, bytesWritten)
  }
}

function afterBytes(chunks: readonly Uint8Array[], written: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = written
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip))
    skip = Math.max(0, skip - chunk.length)
  }
  return rest
}
