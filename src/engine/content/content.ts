import { createReadStream, mkdirSync, statSync } from 'node:fs'
import { readdir, readFile, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'

import { invariant, systemCodeOf, type Digest } from '#base'
import { digestHex, digestOf, isDigest, parseDigest, verifier } from '#oci/digest'

import { contentError, writeFailure } from './errors.ts'
import { ingestBlob, ingestLayer, type IngestPlaces } from './ingest.ts'
import { CHUNK_BYTES } from './limits.ts'
import { placeFile } from './place-file.ts'
import type { ContentStore, StoredBlob } from './port.ts'

/** `root` is the engine's; the store lives in its `content` directory. */
export function createContent(options: { readonly root: string }): ContentStore {
  const directory = join(options.root, 'content')
  const blobs = join(directory, 'blobs', 'sha256')
  const halfMade = join(directory, 'ingest')
  mkdirSync(blobs, { recursive: true, mode: 0o700 })
  mkdirSync(halfMade, { recursive: true, mode: 0o700 })
  let sequence = 0
  // The digest's grammar has been checked by its type's maker; this keeps a forged one from leaving the directory.
  const pathOf = (digest: Digest) => join(blobs, digestHex(parseDigest(digest)))
  const stat = (digest: Digest): StoredBlob | undefined => {
    const found = statSync(pathOf(digest), { throwIfNoEntry: false })
    return found === undefined ? undefined : { digest, sizeBytes: found.size }
  }
  const existing = (digest: Digest): StoredBlob => {
    const found = stat(digest)
    if (found === undefined) throw contentError('content.not_found', `no blob ${digest} is stored`)
    return found
  }
  const places: IngestPlaces = {
    directory,
    pathOf,
    has: (digest) => stat(digest) !== undefined,
    nextTemporaryPath: () => {
      sequence += 1
      return join(halfMade, String(sequence))
    },
  }
  const open: ContentStore['open'] = (digest, range) => {
    const { sizeBytes } = existing(digest)
    const { startByte, endByte } = range ?? { startByte: 0, endByte: sizeBytes }
    if (!(startByte >= 0 && startByte <= endByte && endByte <= sizeBytes))
      throw contentError('content.range_invalid', `bytes ${startByte} to ${endByte} of ${digest}: it has ${sizeBytes}`)
    return readRange(pathOf(digest), startByte, endByte)
  }
  return {
    ingest: (source, ingestOptions = {}) => ingestBlob(places, source, ingestOptions),
    ingestLayer: (source, layerOptions = {}) => ingestLayer(places, source, layerOptions),
    put: (bytes) => {
      const found = stat(digestOf(bytes))
      return found === undefined ? ingestBlob(places, once(bytes), {}) : Promise.resolve(found)
    },
    adopt: async (path, digest, how) => {
      if (stat(digest) === undefined) await placeFile(path, pathOf(digest), how)
      return existing(digest)
    },
    stat,
    path: (digest) => pathOf(existing(digest).digest),
    open,
    read: async (digest, maxBytes) => {
      const { sizeBytes } = existing(digest)
      if (sizeBytes > maxBytes)
        throw contentError('content.too_large', `blob ${digest} has ${sizeBytes} bytes, more than the ${maxBytes} expected of it`)
      return await readFile(pathOf(digest))
    },
    verify: async (digest) => {
      const check = verifier({}, digest)
      for await (const chunk of open(digest)) check.update(chunk as Buffer)
      const found = check.finish().digest
      if (found !== digest)
        throw contentError('content.corrupt', `the blob ${digest} has the bytes of ${found}`, {
          hint: 'The disk or another program changed it. Remove the images that use it and fetch them again.',
        })
    },
    delete: async (digest) => {
      try {
        await unlink(pathOf(digest))
      } catch (error) {
        if (systemCodeOf(error) !== 'ENOENT') throw writeFailure(`delete blob ${digest}`, error)
      }
    },
    list: async () => {
      const names = await readdir(blobs)
      return names
        .map((name) => `sha256:${name}`)
        .filter(isDigest)
        .map(stat)
        .filter((blob) => blob !== undefined)
    },
    recover: async () => {
      invariant(sequence === 0, 'content is recovered before anything is ingested')
      for (const name of await readdir(halfMade)) await rm(join(halfMade, name), { recursive: true, force: true })
    },
  }
}

/** Part of a file, in chunks that hashing likes. An empty range reads nothing. */
export function readRange(path: string, startByte: number, endByte: number) {
  // createReadStream has no way to say "nothing": `end` is inclusive.
  if (startByte === endByte) return createReadStream('/dev/null')
  return createReadStream(path, { start: startByte, end: endByte - 1, highWaterMark: CHUNK_BYTES })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
