import { constants } from 'node:fs'
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

import { systemCodeOf } from '#base'

import { MAX_BLOCKS_IN_MEMORY, WRITE_BLOCK_BYTES } from './limits.ts'

/** A file that is not there until it is whole: written beside its place, flushed, then renamed. */
export interface FileWriter {
  /**
   * Takes a copy of the chunk. A promise means that there is no room for more until it resolves. Errors are those of the disk, perhaps of an
   * earlier chunk.
   */
  write(chunk: Uint8Array): Promise<void> | undefined
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
  const bulk = blockWriter(temporaryPath, file)
  let isOpen = true
  let isPlaced = false
  const close = async () => {
    if (!isOpen) return
    isOpen = false
    await bulk.close()
    await file.close()
  }
  return {
    write: bulk.write,
    commit: async (path) => {
      await bulk.end()
      await file.sync()
      await close()
      await rename(temporaryPath, path)
      isPlaced = true
      await syncDirectory(dirname(path))
    },
    keep: async () => {
      await bulk.end()
      await close()
      isPlaced = true
    },
    [Symbol.asyncDispose]: async () => {
      await close()
      if (!isPlaced) await unlink(temporaryPath)
    },
  }
}

interface BlockWriter {
  write(chunk: Uint8Array): Promise<void> | undefined
  /** Writes what is left and waits for all. */
  end(): Promise<void>
  /** Waits for what is under way, whatever becomes of it. */
  close(): Promise<void>
}

/**
 * Gathers chunks in a few blocks of memory and writes each past the page cache (O_DIRECT): a layer is read again only where a container needs
 * it, and a cache full of layers would push out what running containers work on. Flushing afterwards has next to nothing left to do.
 * Where the file system or the memory does not allow that, and for the last block, which is no multiple of the disk's, the cache is used.
 */
function blockWriter(path: string, cached: FileHandle): BlockWriter {
  const free: Buffer[] = []
  const underWay = new Set<Promise<void>>()
  let made = 0
  let position = 0
  let filled = 0
  let current: Buffer | undefined
  let failure: unknown
  /** Undefined: not tried yet. */
  let direct: Promise<FileHandle | undefined> | undefined

  const take = (): Buffer | undefined => {
    const block = free.pop()
    if (block !== undefined || made >= MAX_BLOCKS_IN_MEMORY) return block
    made += 1
    return alignedBlock()
  }
  const writeBlock = async (block: Buffer, at: number) => {
    direct ??= open(path, constants.O_WRONLY | constants.O_DIRECT).catch(notDirect)
    const file = await direct
    try {
      await writeAll(file ?? cached, block, at)
    } catch (error) {
      if (file === undefined) throw error
      notDirect(error)
      await writeAll(cached, block, at)
    }
  }
  const send = (block: Buffer) => {
    const work = writeBlock(block, position).then(
      () => void free.push(block),
      (error: unknown) => void (failure ??= error),
    )
    underWay.add(work)
    void work.then(() => underWay.delete(work))
    position += block.length
    current = undefined
    filled = 0
  }
  /** How much of the chunk found room. */
  const fill = (chunk: Uint8Array, from: number): number => {
    let at = from
    while (at < chunk.length) {
      current ??= take()
      if (current === undefined) break
      const part = Math.min(chunk.length - at, current.length - filled)
      current.set(part === chunk.length ? chunk : chunk.subarray(at, at + part), filled)
      at += part
      filled += part
      if (filled === current.length) send(current)
    }
    return at
  }
  const fillSlowly = async (chunk: Uint8Array, from: number) => {
    for (let at = from; at < chunk.length; at = fill(chunk, at)) {
      if (failure !== undefined) throw failure
      // No block is free, and none failed: so some are under way.
      await Promise.race(underWay)
    }
  }
  const settle = async () => void (await Promise.all(underWay))
  return {
    write: (chunk) => {
      const at = failure === undefined ? fill(chunk, 0) : chunk.length
      if (failure !== undefined) return Promise.reject(failure)
      return at === chunk.length ? undefined : fillSlowly(chunk, at)
    },
    end: async () => {
      await settle()
      if (failure !== undefined) throw failure
      if (current !== undefined) await writeAll(cached, current.subarray(0, filled), position)
    },
    close: async () => {
      await settle()
      // Why it could not be opened is known by then.
      await (await direct?.catch(() => undefined))?.close()
    },
  }
}

/** Undefined for what says that it does not go this way; other errors are thrown on by whoever asks. */
export function notDirect(error: unknown): undefined {
  const code = systemCodeOf(error)
  if (code === 'EINVAL' || code === 'EOPNOTSUPP' || code === 'EPERM') return undefined
  throw error
}

/** Buffers that may grow lie at the beginning of a page, which is what writing past the cache needs; others lie anywhere. */
export function alignedBlock(): Buffer {
  return Buffer.from(new ArrayBuffer(WRITE_BLOCK_BYTES, { maxByteLength: WRITE_BLOCK_BYTES }))
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

export async function writeAll(file: FileHandle, block: Buffer, position: number): Promise<void> {
  for (let at = 0; at < block.length;) {
    const { bytesWritten } = await file.write(block, at, block.length - at, position + at)
    at += bytesWritten
  }
}
