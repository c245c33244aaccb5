import { closeSync, openSync, readSync } from 'node:fs'
import { posix } from 'node:path'

import type { GloveboxError } from '#base'
import { readRange, type ByteSource } from '#engine/content'
import { scanTar, textOfBytes, type TarEntry } from '#oci/tar'

import { imageError } from '../errors.ts'
import { MAX_ARCHIVE_ENTRIES } from '../limits.ts'
import type { SpooledFile } from './spool.ts'

/** A regular file inside an archive: a name, and where its bytes lie. Nothing of it ever becomes a path on this machine. */
export interface ArchiveFile {
  readonly name: string
  readonly startByte: number
  readonly sizeBytes: number
}

export interface Archive {
  has(name: string): boolean
  /** Error: `image.archive_invalid` when there is none, or it is a link that may not be one. */
  file(name: string): ArchiveFile
  /** A small document. Error: `image.archive_invalid` when it is larger. */
  read(name: string, maxBytes: number): Buffer
  open(file: ArchiveFile): ByteSource
  /** The first bytes, at most. */
  head(file: ArchiveFile, length: number): Buffer
}

/** Reads the structure of a spooled archive. Errors: `tar.*`, `image.archive_invalid`. */
export function openArchive(spooled: SpooledFile): Archive {
  const entries = scanEntries(spooled)
  const file = (name: string): ArchiveFile => {
    const entry = resolveEntry(entries, name)
    return { name, startByte: entry.dataOffset, sizeBytes: entry.size }
  }
  const readAt = (start: number, length: number): Buffer =>
    withFile(spooled.path, (descriptor) => {
      const buffer = Buffer.alloc(length)
      let filled = 0
      while (filled < length) {
        const read = readSync(descriptor, buffer, filled, length - filled, start + filled)
        if (read === 0) break
        filled += read
      }
      return buffer.subarray(0, filled)
    })
  return {
    has: (name) => entries.has(name),
    file,
    read: (name, maxBytes) => {
      const { startByte, sizeBytes } = file(name)
      if (sizeBytes > maxBytes) throw invalidArchive(`${shown(name)} has ${sizeBytes} bytes, more than ${maxBytes}`)
      return readAt(startByte, sizeBytes)
    },
    open: ({ startByte, sizeBytes }) => readRange(spooled.path, startByte, startByte + sizeBytes),
    head: ({ startByte, sizeBytes }, length) => readAt(startByte, Math.min(length, sizeBytes)),
  }
}

export function invalidArchive(why: string, hint?: string): GloveboxError {
  return imageError('image.archive_invalid', `image archive: ${why}`, hint === undefined ? {} : { hint })
}

/** Names in messages come from strangers. */
export function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200))
}

function scanEntries(spooled: SpooledFile): ReadonlyMap<string, TarEntry> {
  return withFile(spooled.path, (descriptor) => {
    const entries = new Map<string, TarEntry>()
    const readAt = (buffer: Buffer, position: number) => readSync(descriptor, buffer, 0, buffer.length, position)
    for (const entry of scanTar(readAt, spooled.sizeBytes)) {
      if (entry.type === 'directory') continue
      const name = textOfBytes(entry.path)
      if (entries.has(name)) throw invalidArchive(`${shown(name)} is in it twice`)
      if (entries.size >= MAX_ARCHIVE_ENTRIES) throw invalidArchive(`it has more than ${MAX_ARCHIVE_ENTRIES} entries`)
      entries.set(name, entry)
    }
    if (entries.size === 0)
      throw invalidArchive('it is empty', 'Give a file that was made by `docker save`, or an OCI layout as a tar.')
    return entries
  })
}

/**
 * Older clients wrote a layer that two images share as a symlink from one to the other. That one step is followed, by name and inside the
 * archive; blobs are never links.
 */
function resolveEntry(entries: ReadonlyMap<string, TarEntry>, name: string): TarEntry {
  const entry = entries.get(name)
  if (entry === undefined) throw invalidArchive(`it has no ${shown(name)}`)
  if (entry.type === 'file') return entry
  if (entry.type !== 'symlink' || name.startsWith('blobs/'))
    throw invalidArchive(`${shown(name)} is a ${entry.type} and not a file`)
  const target = posix.join(posix.dirname(name), textOfBytes(entry.linkname))
  const found = entries.get(target)
  if (found?.type !== 'file')
    throw invalidArchive(`${shown(name)} is a link to ${shown(target)}, which is no file of the archive`)
  return found
}

function withFile<T>(path: string, work: (descriptor: number) => T): T {
  const descriptor = openSync(path, 'r')
  try {
    return work(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
