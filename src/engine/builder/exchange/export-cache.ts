import { during, type Digest } from '#base'
import { digestOf } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'
import { parseReference } from '#oci/reference'

import type { BuiltImage } from '../built-image.ts'
import type { CacheView } from '../cache-view.ts'
import { buildError } from '../errors.ts'
import type { EmitBuildEvent } from '../events.ts'
import { layerDescriptor } from '../outputs/image-documents.ts'
import { putLayer } from '../outputs/put-layer.ts'
import type { BlobPlace, BuildPorts, CacheRecord, LayerRecord } from '../ports.ts'
import type { BuildRequest } from '../request.ts'
import { CACHE_TYPE, DIFF_ID_ANNOTATION, MAX_CACHE_BYTES, writeCacheRecords, type CacheRecords } from './cache-document.ts'
import { cacheText, type CacheTarget } from './cache-places.ts'

/** As many as a manifest can name. */
const MAX_CACHE_LAYERS = 500

type PlacedTarget = Exclude<CacheTarget, { readonly kind: 'inline' }>

/** Writes what the build stood on to where it was asked for. Blobs that are there are not sent again; the manifest comes last. */
export async function exportCaches(
  ports: BuildPorts,
  request: BuildRequest,
  images: readonly BuiltImage[],
  view: CacheView,
  emit: EmitBuildEvent,
): Promise<void> {
  for (const target of request.cacheTo ?? []) {
    if (target.kind === 'inline') continue
    const place = cacheText(target)
    emit({ kind: 'moving', what: 'cache-export', place })
    try {
      const records = recordsFor(target, images, view.touched())
      const digest = await writeCache(ports, request, target, records)
      emit({ kind: 'moved', what: 'cache-export', place, digest })
    } catch (error) {
      throw during(`cache ${place}`, error)
    }
  }
}

/** Of `min`, the layers of the images and what leads to them. */
export function recordsFor(
  { mode }: Pick<PlacedTarget, 'mode'>,
  images: readonly Pick<BuiltImage, 'config'>[],
  touched: ReadonlyMap<string, CacheRecord>,
): CacheRecords {
  const inImages = new Set(images.flatMap(({ config }) => config.diffIds))
  const isWanted = (record: CacheRecord) => {
    // What an address held when this machine asked is nothing to tell others.
    if (record.kind === 'remote') return false
    return mode === 'max' || record.kind !== 'layer' || record.diffId === undefined || inImages.has(record.diffId)
  }
  return new Map([...touched].filter(([, record]) => isWanted(record)))
}

async function writeCache(
  ports: BuildPorts,
  request: BuildRequest,
  target: PlacedTarget,
  records: CacheRecords,
): Promise<Digest> {
  await using place = await openTarget(ports, request, target)
  const config = writeCacheRecords(records)
  const layers = layersOf(records)
  if (layers.length > MAX_CACHE_LAYERS || config.length > MAX_CACHE_BYTES)
    throw buildError('build.cache_invalid', `it has ${layers.length} layers, more than the ${MAX_CACHE_LAYERS} of a manifest`, {
      hint: 'Use mode=min.',
    })
  const descriptors = []
  for (const { diffId, sizeBytes } of layers) {
    const blob = await putLayer(ports, place, { diffId, sizeBytes }, target.form)
    descriptors.push({ ...layerDescriptor(blob), annotations: { [DIFF_ID_ANNOTATION]: diffId } })
  }
  const digest = digestOf(config)
  if (!(await place.has(digest))) await place.put(digest, config)
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: CACHE_TYPE,
    config: { mediaType: CACHE_TYPE, digest, size: config.length },
    layers: descriptors,
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  await place.putManifest(target.kind === 'local' ? 'latest' : tagOf(target.reference), MEDIA_TYPES.ociManifest, bytes)
  return digestOf(bytes)
}

/** In the order of their digests, each once. */
function layersOf(records: CacheRecords): readonly { readonly diffId: Digest; readonly sizeBytes: number }[] {
  const layers = [...records.values()].filter((record): record is LayerRecord => record.kind === 'layer')
  const sizes = new Map(layers.flatMap(({ diffId, sizeBytes }) => (diffId === undefined ? [] : [[diffId, sizeBytes] as const])))
  return [...sizes].map(([diffId, sizeBytes]) => ({ diffId, sizeBytes })).toSorted((a, b) => (a.diffId < b.diffId ? -1 : 1))
}

async function openTarget(ports: BuildPorts, request: BuildRequest, target: PlacedTarget): Promise<BlobPlace> {
  if (target.kind === 'local') return await ports.exchange.directory(target.path)
  const credentials = request.credentialsFor?.(target.reference) ?? null
  return await ports.exchange.registry(target.reference, { use: 'push', credentials, signal: request.signal })
}

function tagOf(reference: string): string {
  const { tag, digest } = parseReference(reference)
  if (digest === null) return tag ?? 'latest'
  throw buildError('build.output_invalid', `${reference} names a digest, which nothing can be written to`)
}
