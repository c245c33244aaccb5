import { during, shortId, type Digest } from '#base'
import type { ByteSource } from '#engine/content'
import { choosePlatform, formatPlatform, hostPlatform, type Platform } from '#oci/image'
import { digestError } from '#oci/digest'
import { familiarText } from '#oci/reference'

import { imageError } from '../errors.ts'
import type { Layers } from '../layers.ts'
import type { ImageProgress } from '../port.ts'
import type { NewImage, NewImageResult } from '../store-image.ts'
import { invalidArchive, shown, type Archive, type TakenLayer } from './archive.ts'
import { planDockerArchive } from './docker-archive.ts'
import { planLegacyArchive } from './legacy.ts'
import { planOciLayout } from './oci-layout.ts'
import type { PlannedImage, PlannedLayer } from './planned-image.ts'
import { takeIn } from './take-in.ts'

export interface LoadedImage extends NewImageResult {
  readonly names: readonly string[]
}

/**
 * Loads every image of an archive. The layers come first, the documents are all checked before the first image is stored. When one image
 * fails, those before it stay: each is whole.
 */
export async function loadArchive(
  parts: {
    readonly layers: Layers
    readonly temporaryPath: string
    /** null: that of this machine, where there is a choice. */
    readonly wanted: Platform | null
    readonly store: (image: NewImage) => Promise<NewImageResult>
  },
  source: ByteSource,
  report: (progress: ImageProgress) => void,
): Promise<readonly LoadedImage[]> {
  await using taken = await takeIn({ ...parts, report }, source)
  const { archive } = taken
  const loaded: LoadedImage[] = []
  for (const image of planArchive(archive, parts.wanted)) {
    const held: Digest[] = []
    try {
      for (const layer of image.layers) held.push(await holdLayer(parts.layers, archive, layer, report))
      const result = await parts.store({ configBytes: image.configBytes(held), names: image.names, parent: null })
      loaded.push({ ...result, names: image.names.map(familiarText) })
    } catch (error) {
      throw during(`load ${image.what}`, error)
    } finally {
      parts.layers.release(held)
      await parts.layers.collect(held)
    }
  }
  return loaded
}

/** Docker's manifest does not tell of platforms: when one is asked for, the index beside it is the better list. */
function planArchive(archive: Archive, wanted: Platform | null): readonly PlannedImage[] {
  const hasIndex = archive.has('index.json')
  if (archive.has('manifest.json') && (wanted === null || !hasIndex)) return onlyFor(wanted, planDockerArchive(archive))
  if (hasIndex) return onlyFor(wanted, planOciLayout(archive, wanted ?? hostPlatform()))
  if (archive.has('repositories')) return onlyFor(wanted, planLegacyArchive(archive))
  throw invalidArchive(
    'it has neither manifest.json nor index.json',
    'To make an image of a file system tar, use `import`; `load` takes what `save` wrote.',
  )
}

/** Error: `image.platform_mismatch` when nothing is left. */
function onlyFor(wanted: Platform | null, images: readonly PlannedImage[]): readonly PlannedImage[] {
  if (wanted === null) return images
  const fitting = images.filter((image) => choosePlatform(wanted, [image.platform], (own) => own) !== undefined)
  if (fitting.length > 0) return fitting
  const has = images.slice(0, 20).map((image) => formatPlatform(image.platform))
  throw imageError(
    'image.platform_mismatch',
    `image archive: it has nothing for ${formatPlatform(wanted)}: it has ${has.join(', ')}`,
  )
}

/** Checks that the layer is what it is said to be, and holds it; the caller gives it back. */
async function holdLayer(
  layers: Layers,
  archive: Archive,
  layer: PlannedLayer,
  report: (progress: ImageProgress) => void,
): Promise<Digest> {
  const { file, diffId, digest } = layer
  if (file.type === 'refused') throw during(`layer ${shown(file.name)}`, file.error)
  if (file.type === 'layer') {
    checkLayer(file.layer, layer)
    layers.hold(file.layer.diffId)
    return file.layer.diffId
  }
  if (diffId !== null && layers.hold(diffId) !== undefined) return diffId
  const id = shortId(diffId ?? digest?.text ?? file.name)
  const stored = await layers.add(archive.open(file), {
    what: `layer ${id}`,
    ...(diffId === null ? {} : { diffId }),
    ...(digest === null ? {} : { digest }),
  })
  const { sizeBytes } = file
  report({ type: 'layer', id, status: 'Loading layer', currentBytes: sizeBytes, totalBytes: sizeBytes })
  return stored.diffId
}

/** A digest of another algorithm was checked when the layer came: it is part of its name. */
function checkLayer(found: TakenLayer, { file, diffId, digest }: PlannedLayer): void {
  const what = `layer ${shown(file.name)}`
  if (diffId !== null && found.diffId !== diffId)
    throw digestError('digest.mismatch', `${what}, uncompressed, has the digest ${found.diffId} and not the promised ${diffId}`)
  if (digest?.algorithm === 'sha256' && found.digest !== digest.text)
    throw digestError('digest.mismatch', `${what} has the digest ${found.digest} and not the promised ${digest.text}`)
}
