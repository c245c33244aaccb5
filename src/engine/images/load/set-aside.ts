import { closeSync, openSync, readSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'

import { GloveboxError } from '#base'
import { fileWriter, writeFailure, type ByteSource, type FileWriter } from '#engine/content'

/** One file for all that an archive holds besides its layers. It goes away with its user. */
export interface SetAside extends AsyncDisposable {
  readonly path: string
  /** Gives where it begins. Errors: `content.disk_full`, and whatever the source throws. */
  add(source: ByteSource): Promise<{ readonly startByte: number }>
  /** Nothing is added from here on. */
  close(): Promise<void>
  read(startByte: number, length: number): Buffer
}

/** Not flushed to the disk: a crash makes it worthless anyway. */
export function setAside(path: string): SetAside {
  let writer: FileWriter | undefined
  let sizeBytes = 0
  const add = async (source: ByteSource) => {
    const startByte = sizeBytes
    writer ??= await fileWriter(path)
    for await (const chunk of source) {
      await writer.write(chunk)
      sizeBytes += chunk.length
    }
    return { startByte }
  }
  const close = async () => {
    writer ??= await fileWriter(path)
    await writer.keep()
  }
  const failed = (error: unknown): never => {
    throw error instanceof GloveboxError ? error : writeFailure('read image archive', error, dirname(path))
  }
  return {
    path,
    add: (source) => add(source).catch(failed),
    close: () => close().catch(failed),
    read: (startByte, length) => {
      const descriptor = openSync(path, 'r')
      try {
        const buffer = Buffer.alloc(length)
        let filled = 0
        while (filled < length) {
          const read = readSync(descriptor, buffer, filled, length - filled, startByte + filled)
          if (read === 0) break
          filled += read
        }
        return buffer.subarray(0, filled)
      } finally {
        closeSync(descriptor)
      }
    },
    [Symbol.asyncDispose]: async () => {
      await writer?.[Symbol.asyncDispose]()
      await rm(path, { force: true })
    },
  }
}
