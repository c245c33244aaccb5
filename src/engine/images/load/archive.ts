import { posix } from 'node:path'

import type { Digest, GloveboxError } from '#base'
import { readRange, type ByteSource } from '#engine/content'

import { imageError } from '../errors.ts'

/** A layer of an archive that is in the store: what it was, byte for byte, and what it is uncompressed. */
export interface TakenLayer {
  readonly diffId: Digest
  /** Of the bytes as they lay in the archive. */
  readonly digest: Digest
}

/** What came under a name. Nothing of it ever becomes a path on this machine. */
export type ArchiveEntry =
  /** Small, and perhaps a document: set aside. */
  | { readonly type: 'file'; readonly startByte: number; readonly sizeBytes: number }
  | { readonly type: 'layer'; readonly sizeBytes: number; readonly layer: TakenLayer }
  /** A file that was neither: why it is no layer. */
  | { readonly type: 'refused'; readonly sizeBytes: number; readonly error: GloveboxError }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'other'; readonly what: string }

export type ArchiveFile = Extract<ArchiveEntry, { readonly sizeBytes: number }> & { readonly name: string }

/** An archive that has been read. */
export interface Archive {
  has(name: string): boolean
  /** Error: `image.archive_invalid` when there is none, or it is a link that may not be one. */
  file(name: string): ArchiveFile
  /** A small document. Errors: `image.archive_invalid` when it is larger, or no document at all. */
  read(name: string, maxBytes: number): Buffer
  /** The bytes of a file that was set aside. */
  open(file: { readonly startByte: number; readonly sizeBytes: number }): ByteSource
}

/** `asidePath` holds the small files; `readAside` reads of it. */
export function archiveOf(
  entries: ReadonlyMap<string, ArchiveEntry>,
  asidePath: string,
  readAside: (startByte: number, length: number) => Buffer,
): Archive {
  const file = (name: string): ArchiveFile => ({ ...resolveEntry(entries, name), name })
  return {
    has: (name) => entries.has(name),
    file,
    read: (name, maxBytes) => {
      const found = file(name)
      const { sizeBytes } = found
      if (sizeBytes > maxBytes) throw invalidArchive(`${shown(name)} has ${sizeBytes} bytes, more than ${maxBytes}`)
      if (found.type !== 'file') throw invalidArchive(`${shown(name)} is no document`)
      return readAside(found.startByte, sizeBytes)
    },
    open: ({ startByte, sizeBytes }) => readRange(asidePath, startByte, startByte + sizeBytes),
  }
}

export function invalidArchive(why: string, hint?: string): GloveboxError {
  return imageError('image.archive_invalid', `image archive: ${why}`, hint === undefined ? {} : { hint })
}

/** Names in messages come from strangers. */
export function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200))
}

/**
 * Older clients wrote a layer that two images share as a symlink from one to the other. That one step is followed, by name and inside the
 * archive; blobs are never links.
 */
function resolveEntry(
  entries: ReadonlyMap<string, ArchiveEntry>,
  name: string,
): Extract<ArchiveEntry, { readonly sizeBytes: number }> {
  const entry = entries.get(name)
  if (entry === undefined) throw invalidArchive(`it has no ${shown(name)}`)
  if ('sizeBytes' in entry) return entry
  if (entry.type === 'other' || name.startsWith('blobs/'))
    throw invalidArchive(`${shown(name)} is a ${entry.type === 'other' ? entry.what : entry.type} and not a file`)
  const target = posix.join(posix.dirname(name), entry.target)
  const found = entries.get(target)
  if (found === undefined || !('sizeBytes' in found))
    throw invalidArchive(`${shown(name)} is a link to ${shown(target)}, which is no file of the archive`)
  return found
}
