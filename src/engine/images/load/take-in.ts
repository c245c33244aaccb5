import { GloveboxError, shortId, type Digest } from '#base'
import { decompressedOnce, peek, sniff, writeFailure, type ByteSource } from '#engine/content'
import { MAX_CONFIG_BYTES } from '#oci/image'
import { parseVerifiableDigest, type VerifiableDigest } from '#oci/digest'
import { streamTar, textOfBytes, type TarEntry } from '#oci/tar'

import type { Layers } from '../layers.ts'
import { MAX_ARCHIVE_BYTES, MAX_ARCHIVE_ENTRIES, MAX_LAYERS_UNDER_WAY, PROGRESS_STEP_BYTES } from '../limits.ts'
import { imageError } from '../errors.ts'
import type { ImageProgress } from '../port.ts'
import { archiveOf, invalidArchive, shown, type Archive, type ArchiveEntry } from './archive.ts'
import { setAside, type SetAside } from './set-aside.ts'

/** An archive whose layers are in the store, each held until it is disposed of; what no image names by then goes. */
export interface TakenArchive extends AsyncDisposable {
  readonly archive: Archive
}

interface TakeIn {
  readonly layers: Layers
  readonly temporaryPath: string
  readonly report: (progress: ImageProgress) => void
}

/**
 * Reads an archive once, as it comes. Its table of contents may be the last thing in it, so that everything that may be a layer goes straight
 * into the store, checked, decompressed and made mountable on the way, and the rest is set aside. What turns out to be no layer is an
 * error only for the image that says it is one. Errors: `tar.*`, `image.archive_invalid`, `image.archive_too_large`, `content.*`.
 */
export async function takeIn(parts: TakeIn, source: ByteSource): Promise<TakenArchive> {
  const aside = setAside(parts.temporaryPath)
  const held: Digest[] = []
  const dispose = async () => {
    await aside[Symbol.asyncDispose]()
    parts.layers.release(held)
    await parts.layers.collect(held)
  }
  try {
    const entries = await readEntries(parts, source, aside, held)
    await aside.close()
    if (entries.size === 0)
      throw invalidArchive('it is empty', 'Give a file that was made by `docker save`, or an OCI layout as a tar.')
    return { archive: archiveOf(entries, aside.path, aside.read), [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error instanceof GloveboxError ? error : writeFailure('read image archive', error)
  }
}

async function readEntries(parts: TakeIn, source: ByteSource, aside: SetAside, held: Digest[]) {
  const entries = new Map<string, ArchiveEntry>()
  const background = layersUnderWay(parts.layers, held)
  try {
    const { compression, source: whole } = await sniff(source, 'image archive')
    for await (const { entry, body } of streamTar(decompressedOnce(whole, compression, 'image archive'))) {
      if (entry.dataOffset + entry.size > MAX_ARCHIVE_BYTES)
        throw imageError('image.archive_too_large', `image archive: it has more than ${MAX_ARCHIVE_BYTES} bytes`)
      if (entry.type === 'directory') continue
      const name = textOfBytes(entry.path)
      if (entries.has(name)) throw invalidArchive(`${shown(name)} is in it twice`)
      if (entries.size >= MAX_ARCHIVE_ENTRIES) throw invalidArchive(`it has more than ${MAX_ARCHIVE_ENTRIES} entries`)
      entries.set(name, notAFile(entry))
      if (entry.type !== 'file') continue
      const { head, source: bytes } = await peek(body, 1)
      // Before the look into the store, which holds the configurations of images that are here already as well.
      if (!hasNameOfLayer(name) || mayBeDocument(entry.size, head)) {
        entries.set(name, { type: 'file', sizeBytes: entry.size, ...(await aside.add(bytes)) })
        continue
      }
      const known = layerOfName(name, entry.size, parts.layers)
      if (known !== undefined) {
        held.push(known)
        entries.set(name, { type: 'layer', sizeBytes: entry.size, layer: { diffId: known, digest: known } })
        continue
      }
      await background.add(entry.size, watched(parts, name, entry.size, bytes), (taken) => entries.set(name, taken))
    }
  } finally {
    await background.settled()
  }
  background.check()
  return entries
}

function notAFile(entry: TarEntry): ArchiveEntry {
  if (entry.type === 'symlink') return { type: 'symlink', target: textOfBytes(entry.linkname) }
  return { type: 'other', what: entry.type }
}

/**
 * As they are called by all who write archives. Under another name a layer is read from where it was set aside: what a file is that just lies
 * about cannot be told, and a root file system that is taken for an image has ten thousands of them.
 */
const LAYER_NAME = /^blobs\/|(?:^|\/)layer\.tar$|\.(?:tar|tgz|tar\.[a-z0-9]+)$/

function hasNameOfLayer(name: string): boolean {
  return LAYER_NAME.test(name)
}

/** Anything smaller than the header of a tar is set aside with the documents; most archives hold some version numbers. */
const MIN_LAYER_BYTES = 512
const JSON_STARTS = new Set([...' \t\r\n{['].map((character) => character.charCodeAt(0)))

/** Layers are tars, gzip or zstd. A tar may well begin with the name `{`: then it is read as a layer from where it was set aside. */
function mayBeDocument(sizeBytes: number, head: Buffer): boolean {
  return sizeBytes < MIN_LAYER_BYTES || (sizeBytes <= MAX_CONFIG_BYTES && JSON_STARTS.has(head[0] ?? 0))
}

/** A plain layer that is stored already and goes by its digest is not read again. */
function layerOfName(name: string, sizeBytes: number, layers: Layers): Digest | undefined {
  const digest = blobDigest(name)
  if (digest?.algorithm !== 'sha256') return undefined
  const diffId = digest.text as Digest
  if (layers.stat(diffId)?.sizeBytes !== sizeBytes) return undefined
  return layers.hold(diffId) === undefined ? undefined : diffId
}

/** `blobs/sha256/HEX` promises its bytes. */
function blobDigest(name: string): VerifiableDigest | undefined {
  const match = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name)
  const isWhole = match?.[2]?.length === (match?.[1] === 'sha256' ? 64 : 128)
  return match === null || !isWhole ? undefined : parseVerifiableDigest(`${match[1]}:${match[2]}`)
}

interface Watched {
  readonly id: string
  readonly source: ByteSource
  readonly digest: VerifiableDigest | undefined
  /** When the last byte was taken. */
  readonly ended: Promise<void>
}

function watched({ report }: TakeIn, name: string, totalBytes: number, source: ByteSource): Watched {
  const digest = blobDigest(name)
  // Older archives name the layer by its directory.
  const id = shortId(digest?.text ?? /^([0-9a-f]{64})\//.exec(name)?.[1] ?? name)
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let currentBytes = 0
  let toldBytes = 0
  const see = (result: IteratorResult<Uint8Array>) => {
    if (result.done === true) end()
    else currentBytes += result.value.length
    if (currentBytes - toldBytes >= PROGRESS_STEP_BYTES || (currentBytes === totalBytes && toldBytes < totalBytes)) {
      toldBytes = currentBytes
      report({ type: 'layer', id, status: 'Loading layer', currentBytes, totalBytes })
    }
    return result
  }
  const iterator = source[Symbol.asyncIterator]()
  return { id, digest, ended, source: { [Symbol.asyncIterator]: () => ({ next: () => iterator.next().then(see) }) } }
}

interface LayersUnderWay {
  /** Returns when the bytes have been taken: flushing and indexing go on beside the next layer. */
  add(sizeBytes: number, layer: Watched, keep: (taken: ArchiveEntry) => void): Promise<void>
  settled(): Promise<void>
  /** Throws what ends the whole load. */
  check(): void
}

function layersUnderWay(layers: Layers, held: Digest[]): LayersUnderWay {
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  const check = () => {
    if (failures.length > 0) throw failures[0]
  }
  const take = async (sizeBytes: number, { id, digest, source }: Watched): Promise<ArchiveEntry> => {
    try {
      const what = `layer ${id}`
      const { diffId, source: came } = await layers.add(source, { what, ...(digest === undefined ? {} : { digest }) })
      held.push(diffId)
      return { type: 'layer', sizeBytes, layer: { diffId, digest: came.digest } }
    } catch (error) {
      if (error instanceof GloveboxError && isAboutBytes(error)) return { type: 'refused', sizeBytes, error }
      throw error
    }
  }
  return {
    add: async (sizeBytes, layer, keep) => {
      const work = take(sizeBytes, layer).then(keep, (error: unknown) => void failures.push(error))
      underWay.add(work)
      void work.then(() => underWay.delete(work))
      await Promise.race([layer.ended, work])
      while (underWay.size >= MAX_LAYERS_UNDER_WAY) await Promise.race(underWay)
      check()
    },
    settled: async () => void (await Promise.all(underWay)),
    check,
  }
}

/** What the archive says is wrong, as against what this machine cannot do. */
function isAboutBytes({ kind, code }: GloveboxError): boolean {
  return kind === 'invalid' || kind === 'unsupported' || code === 'content.bomb' || code === 'content.too_large'
}
