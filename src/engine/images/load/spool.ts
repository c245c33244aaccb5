import { mkdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { GloveboxError } from '#base'
import { decompressed, fileWriter, sniff, writeFailure, type ByteSource } from '#engine/content'

import { imageError } from '../errors.ts'
import { MAX_ARCHIVE_BYTES } from '../limits.ts'

/** A file that goes away with its user. */
export interface SpooledFile extends AsyncDisposable {
  readonly path: string
  readonly sizeBytes: number
}

/** Where files live for as long as one operation runs; what a crash leaves there goes at the next start. */
export interface TemporaryPlaces {
  next(name: string): string
  clear(): Promise<void>
}

export function temporaryPlaces(root: string): TemporaryPlaces {
  const directory = join(root, 'tmp', 'images')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  let sequence = 0
  return {
    next: (name) => {
      sequence += 1
      return join(directory, `${name}-${sequence}`)
    },
    clear: async () => {
      await rm(directory, { recursive: true, force: true })
      await mkdir(directory, { recursive: true, mode: 0o700 })
    },
  }
}

/**
 * Writes an archive to the disk, decompressed, because its table of contents comes last. Not flushed: a crash makes it worthless anyway.
 * Errors: `image.archive_too_large`, `content.disk_full`, `content.bomb`, `content.compression_invalid`.
 */
export async function spool(source: ByteSource, path: string, what: string): Promise<SpooledFile> {
  try {
    await using file = await fileWriter(path)
    const { compression, source: whole } = await sniff(source, what)
    let sizeBytes = 0
    for await (const chunk of decompressed(whole, compression, what)) {
      sizeBytes += chunk.length
      if (sizeBytes > MAX_ARCHIVE_BYTES)
        throw imageError('image.archive_too_large', `${what} has more than ${MAX_ARCHIVE_BYTES} bytes`)
      await file.write(chunk)
    }
    await file.keep()
    return { path, sizeBytes, [Symbol.asyncDispose]: () => rm(path, { force: true }) }
  } catch (error) {
    if (error instanceof GloveboxError) throw error
    throw writeFailure(`read ${what}`, error)
  }
}
