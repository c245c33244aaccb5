import { during, GloveboxError, isKind, type Digest } from '#base'
import { isDigest, verifier } from '#oci/digest'
import type { Descriptor, ImageManifest } from '#oci/image'
import { parseReference } from '#oci/reference'

import type { ForeignCache } from '../cache-view.ts'
import { buildError } from '../errors.ts'
import type { EmitBuildEvent } from '../events.ts'
import type { BlobPlace, BuildPorts, CacheRecord } from '../ports.ts'
import type { BuildRequest } from '../request.ts'
import {
  CACHE_ANNOTATION,
  CACHE_TYPE,
  DIFF_ID_ANNOTATION,
  MAX_CACHE_BYTES,
  readCacheRecords,
  type CacheRecords,
} from './cache-document.ts'
import { cacheText, type CacheSource } from './cache-places.ts'

/** Manifests of one index that are looked into: one a platform. */
const MAX_MANIFESTS = 32

interface OpenCaches extends AsyncDisposable {
  readonly foreign: readonly ForeignCache[]
}

/**
 * Opens the caches that a build was told of. One that is not there is a warning, for the first build has none; one that is not what its digests
 * say, or not a cache, ends the build. Layers come when a step needs them, each checked against manifest and record before it is seen.
 */
export async function openCaches(ports: BuildPorts, request: BuildRequest, emit: EmitBuildEvent): Promise<OpenCaches> {
  await using opened = new AsyncDisposableStack()
  const foreign: ForeignCache[] = []
  for (const source of request.cacheFrom ?? []) {
    const text = cacheText(source)
    emit({ kind: 'moving', what: 'cache-import', place: text })
    const place = await openSource(ports, request, source).catch((error: unknown) => error)
    if (isPlace(place)) opened.use(place)
    const found = isPlace(place) ? await readCache(place, referenceOf(source)).catch((error: unknown) => error) : place
    if (found instanceof Map) {
      foreign.push(foreignCache(ports, place as BlobPlace, found as Cached))
      emit({ kind: 'moved', what: 'cache-import', place: text, digest: undefined })
      continue
    }
    if (source.kind === 'registry' && source.isOptional === true) continue
    if (found !== undefined && !isAbsent(found)) throw during(`cache ${text}`, found)
    const why = found instanceof Error ? found.message : 'there is nothing'
    const where = { file: request.context.dockerfile.name, line: 1 }
    emit({ kind: 'warning', check: undefined, place: where, message: `the cache ${text} is not used: ${why}` })
  }
  const owned = opened.move()
  return { foreign, [Symbol.asyncDispose]: async () => await owned.disposeAsync() }
}

function isPlace(value: unknown): value is BlobPlace {
  return typeof value === 'object' && value !== null && 'putManifest' in value
}

/** Not there, or not to be reached: what a build can do without. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof GloveboxError) || error.code === 'build.cache_invalid') return false
  return isKind(error, 'not_found') || isKind(error, 'unavailable') || isKind(error, 'timeout') || isKind(error, 'denied')
}

async function openSource(ports: BuildPorts, request: BuildRequest, source: CacheSource): Promise<BlobPlace> {
  if (source.kind === 'local') return await ports.exchange.directory(source.path)
  const credentials = request.credentialsFor?.(source.reference) ?? null
  return await ports.exchange.registry(source.reference, { use: 'pull', credentials, signal: request.signal })
}

function referenceOf(source: CacheSource): string {
  if (source.kind === 'local') return 'latest'
  const { digest, tag } = parseReference(source.reference)
  return digest ?? tag ?? 'latest'
}

/** What a cache knows: records, and where the layers of some of them are. */
type Cached = ReadonlyMap<string, { readonly record: CacheRecord; readonly blob: Descriptor | undefined }>

/** Undefined: there is no manifest, or none with a cache. */
async function readCache(place: BlobPlace, reference: string): Promise<Cached | undefined> {
  const top = await place.manifest(reference)
  if (top === undefined) return undefined
  const manifests = top.kind === 'manifest' ? [top] : await manifestsOf(place, top.manifests)
  const all = new Map<string, { record: CacheRecord; blob: Descriptor | undefined }>()
  let isCache = false
  for (const manifest of manifests) {
    const records = await recordsOf(place, manifest)
    isCache ||= records !== undefined
    const blobs = blobsByDiffId(manifest)
    for (const [key, record] of records ?? []) {
      const blob = record.kind === 'layer' && record.diffId !== undefined ? blobs.get(record.diffId) : undefined
      all.set(key, { record, blob })
    }
  }
  return isCache ? all : undefined
}

async function manifestsOf(place: BlobPlace, entries: readonly Descriptor[]): Promise<readonly ImageManifest[]> {
  const found: ImageManifest[] = []
  for (const entry of entries.slice(0, MAX_MANIFESTS)) {
    if (entry.platform?.os === 'unknown') continue
    const manifest = await place.manifest(entry.digest.text)
    if (manifest?.kind === 'manifest') found.push(manifest)
  }
  return found
}

async function recordsOf(place: BlobPlace, manifest: ImageManifest): Promise<CacheRecords | undefined> {
  const inline = manifest.annotations[CACHE_ANNOTATION]
  if (inline !== undefined) return readCacheRecords(Buffer.from(inline), `the cache within ${place.name}`)
  if (manifest.config.mediaType !== CACHE_TYPE) return undefined
  const what = `the records of ${place.name}`
  const { digest, sizeBytes } = manifest.config
  if (sizeBytes > MAX_CACHE_BYTES)
    throw buildError('build.cache_invalid', `${what} have ${sizeBytes} bytes, more than ${MAX_CACHE_BYTES}`)
  const check = verifier({ digests: [digest], sizeBytes }, what)
  const chunks: Uint8Array[] = []
  for await (const chunk of place.blob(manifest.config)) {
    check.update(chunk)
    chunks.push(chunk)
  }
  check.finish()
  return readCacheRecords(Buffer.concat(chunks), what)
}

function blobsByDiffId(manifest: ImageManifest): ReadonlyMap<Digest, Descriptor> {
  const blobs = new Map<Digest, Descriptor>()
  for (const layer of manifest.layers) {
    const diffId = layer.annotations[DIFF_ID_ANNOTATION]
    if (diffId !== undefined && isDigest(diffId)) blobs.set(diffId, layer)
  }
  return blobs
}

function foreignCache(ports: BuildPorts, place: BlobPlace, cached: Cached): ForeignCache {
  return {
    find: async (key, keep) => {
      const found = cached.get(key)
      if (found === undefined) return undefined
      const { record, blob } = found
      if (record.kind !== 'layer' || record.diffId === undefined) {
        await keep(record)
        return record
      }
      if (blob === undefined) return undefined
      const expected = { digest: blob.digest, sizeBytes: blob.sizeBytes, diffId: record.diffId }
      try {
        await ports.exchange.importLayer(place.blob(blob), expected, async () => await keep(record))
      } catch (error) {
        throw during(`cache ${place.name}: layer ${record.diffId}`, error)
      }
      return record
    },
  }
}
