import { GloveboxError, type Digest } from '#base'
import { verifier, type Verifier } from '#oci/digest'

import { decompressedOnce, sniff, type ByteSource } from './decompress.ts'
import { contentError, writeFailure } from './errors.ts'
import { MAX_BLOB_BYTES } from './limits.ts'
import type { IngestOptions, LayerIngestOptions, StoredBlob, StoredLayer } from './port.ts'
import { fileWriter } from './writer.ts'

export interface IngestPlaces {
  readonly directory: string
  pathOf(digest: Digest): string
  has(digest: Digest): boolean
  nextTemporaryPath(): string
}

export async function ingestBlob(places: IngestPlaces, source: ByteSource, options: IngestOptions): Promise<StoredBlob> {
  const { what = 'blob', maxBytes = MAX_BLOB_BYTES } = options
  const digests = options.digest === undefined ? [] : [options.digest]
  return await writeChecked(places, source, verifier({ digests, sizeBytes: options.sizeBytes }, what), {
    ...options,
    maxBytes,
    what,
  })
}

export async function ingestLayer(places: IngestPlaces, given: ByteSource, options: LayerIngestOptions): Promise<StoredLayer> {
  const { what = 'layer', maxBytes = MAX_BLOB_BYTES, onProgress } = options
  const asked = options.compression
  const { compression, source } = asked === undefined ? await sniff(given, what) : { compression: asked, source: given }
  const outerDigests = options.digest === undefined ? [] : [options.digest]
  const innerDigests = options.diffId === undefined ? [] : [options.diffId]
  if (compression === 'none') {
    const check = verifier({ digests: [...outerDigests, ...innerDigests], sizeBytes: options.sizeBytes }, what)
    const stored = await writeChecked(places, watched(source, undefined, onProgress), check, { ...options, maxBytes, what })
    return { diffId: stored.digest, sizeBytes: stored.sizeBytes, source: stored, compression }
  }
  const outer = verifier({ digests: outerDigests, sizeBytes: options.sizeBytes }, what)
  const inner = verifier({ digests: innerDigests }, `${what}, uncompressed`)
  const came: StoredBlob[] = []
  async function* plain() {
    yield* decompressedOnce(watched(source, outer, onProgress), compression, what)
    // Before the writer commits: a layer whose compressed bytes were not the promised ones never becomes visible.
    came.push(outer.finish())
  }
  const stored = await writeChecked(places, plain(), inner, { ...options, maxBytes, what })
  return { diffId: stored.digest, sizeBytes: stored.sizeBytes, source: came[0] ?? stored, compression }
}

function watched(
  source: ByteSource,
  check: Verifier | undefined,
  onProgress: ((takenBytes: number) => void) | undefined,
): ByteSource {
  if (check === undefined && onProgress === undefined) return source
  return seen(source, check, onProgress)
}

async function* seen(
  source: ByteSource,
  check: Verifier | undefined,
  onProgress: ((takenBytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let takenBytes = 0
  for await (const chunk of source) {
    check?.update(chunk)
    takenBytes += chunk.length
    onProgress?.(takenBytes)
    yield chunk
  }
}

async function writeChecked(
  places: IngestPlaces,
  source: ByteSource,
  check: Verifier,
  options: Pick<LayerIngestOptions, 'beforeVisible' | 'onPlain'> & { readonly maxBytes: number; readonly what: string },
): Promise<StoredBlob> {
  const { maxBytes, what } = options
  try {
    await using file = await fileWriter(places.nextTemporaryPath())
    for await (const chunk of source) {
      check.update(chunk)
      if (check.sizeBytes > maxBytes)
        throw contentError('content.too_large', `${what} has more than the ${maxBytes} bytes that are allowed`)
      options.onPlain?.(chunk)
      const isFull = file.write(chunk)
      if (isFull !== undefined) await isFull
    }
    const stored = check.finish()
    await options.beforeVisible?.(stored.digest)
    if (!places.has(stored.digest)) await file.commit(places.pathOf(stored.digest))
    return stored
  } catch (error) {
    if (error instanceof GloveboxError) throw error
    throw writeFailure(`store ${what}`, error, places.directory)
  }
}
