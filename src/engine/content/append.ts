import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

import { messageOf } from '#base'

import { WRITE_BLOCK_BYTES } from './limits.ts'
import { alignedBlock, notDirect, writeAll } from './writer.ts'

/** Appends to a file that is there, block by block and in order: whatever kills the process, the file has a beginning of what was given. */
export interface FileAppender {
  /** Takes a copy of the chunk. A promise means that there is no room for more until it resolves. Errors are those of the disk. */
  append(chunk: Uint8Array): Promise<void> | undefined
  /** Writes what is left. The file is not flushed. */
  end(): Promise<void>
  /** Closes the file; what was not written is lost. */
  [Symbol.asyncDispose](): Promise<void>
}

/** One block is gathered while one is on its way to the disk and another waits for that. */
const BLOCKS = 3

/**
 * Past the page cache where that can be done (as the content store writes its blobs): what a registry takes in is seldom read soon, and flushing
 * it all at the end would double the time. Blocks end at multiples of their size, which direct writing asks for.
 */
export async function fileAppender(path: string, startByte: number): Promise<FileAppender> {
  const cached = await open(path, 'r+')
  const free: Buffer[] = []
  const underWay: Promise<void>[] = []
  let direct: Promise<FileHandle | undefined> | undefined
  let made = 0
  let position = startByte
  let filled = 0
  let current: Buffer | undefined
  let writing: Promise<void> = Promise.resolve()
  let failure: Error | undefined

  const take = (): Buffer | undefined => {
    const block = free.pop()
    if (block !== undefined || made >= BLOCKS) return block
    made += 1
    return alignedBlock()
  }
  const writeBlock = async (block: Buffer, at: number) => {
    const isAligned = block.length === WRITE_BLOCK_BYTES
    if (isAligned) direct ??= open(path, constants.O_WRONLY | constants.O_DIRECT).catch(notDirect)
    const file = isAligned ? await direct : undefined
    try {
      await writeAll(file ?? cached, block, at)
    } catch (error) {
      if (file === undefined) throw error
      notDirect(error)
      await writeAll(cached, block, at)
    }
  }
  const send = (block: Buffer, bytes: Buffer) => {
    const at = position
    position += bytes.length
    writing = writing
      .then(async () => {
        // Nothing is written behind a gap.
        if (failure === undefined) await writeBlock(bytes, at)
      })
      .catch((error: unknown) => void (failure ??= error instanceof Error ? error : new Error(messageOf(error))))
      .then(() => {
        free.push(block)
        void underWay.shift()
      })
    underWay.push(writing)
    current = undefined
    filled = 0
  }
  /** How much of the chunk found room. */
  const fill = (chunk: Uint8Array, from: number): number => {
    let at = from
    while (at < chunk.length) {
      current ??= take()
      if (current === undefined) break
      const roomBytes = WRITE_BLOCK_BYTES - (position % WRITE_BLOCK_BYTES)
      const part = Math.min(chunk.length - at, roomBytes - filled)
      current.set(part === chunk.length ? chunk : chunk.subarray(at, at + part), filled)
      at += part
      filled += part
      if (filled === roomBytes) send(current, current.subarray(0, filled))
    }
    return at
  }
  const fillSlowly = async (chunk: Uint8Array, from: number) => {
    for (let at = from; at < chunk.length; at = fill(chunk, at)) {
      // None is free, so that some are under way; the first is the next to be.
      await underWay[0]
      if (failure !== undefined) throw failure
    }
  }
  return {
    append: (chunk) => {
      if (failure !== undefined) return Promise.reject(failure)
      const at = fill(chunk, 0)
      return at === chunk.length ? undefined : fillSlowly(chunk, at)
    },
    end: async () => {
      if (current !== undefined && filled > 0) send(current, current.subarray(0, filled))
      await writing
      if (failure !== undefined) throw failure
    },
    [Symbol.asyncDispose]: async () => {
      await writing
      await (await direct)?.close()
      await cached.close()
    },
  }
}
