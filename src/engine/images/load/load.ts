import { during, shortId, type Digest } from '#base'
import type { ByteSource } from '#engine/content'
import type { Platform } from '#oci/image'
import { familiarText } from '#oci/reference'

import { PROGRESS_STEP_BYTES } from '../limits.ts'
import type { Layers } from '../layers.ts'
import type { ImageProgress } from '../port.ts'
import type { NewImage, NewImageResult } from '../store-image.ts'
import { invalidArchive, openArchive, type Archive } from './archive.ts'
import { planDockerArchive } from './docker-archive.ts'
import { planLegacyArchive } from './legacy.ts'
import { planOciLayout } from './oci-layout.ts'
import type { PlannedImage, PlannedLayer } from './planned-image.ts'
import { spool } from './spool.ts'

export interface LoadedImage extends NewImageResult {
  readonly names: readonly string[]
}

/**
 * Loads every image of an archive. Documents are all checked before the first layer is stored. When one image fails, those before
 * it stay: each is whole.
 */
export async function loadArchive(
  parts: {
    readonly layers: Layers
    readonly temporaryPath: string
    readonly platform: Platform
    readonly store: (image: NewImage) => Promise<NewImageResult>
  },
  source: ByteSource,
  report: (progress: ImageProgress) => void,
): Promise<readonly LoadedImage[]> {
  await using spooled = await spool(source, parts.temporaryPath, 'image archive')
  const archive = openArchive(spooled)
  const loaded: LoadedImage[] = []
  for (const image of planArchive(archive, parts.platform)) {
    const held: Digest[] = []
    try {
      for (const layer of image.layers) held.push(await loadLayer(parts.layers, archive, layer, report))
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

function planArchive(archive: Archive, platform: Platform): readonly PlannedImage[] {
  if (archive.has('manifest.json')) return planDockerArchive(archive)
  if (archive.has('index.json')) return planOciLayout(archive, platform)
  if (archive.has('repositories')) return planLegacyArchive(archive)
  throw invalidArchive(
    'it has neither manifest.json nor index.json',
    'To make an image of a file system tar, use `import`; `load` takes what `save` wrote.',
  )
}

/** Holds the layer; the caller gives it back. */
async function loadLayer(
  layers: Layers,
  archive: Archive,
  layer: PlannedLayer,
  report: (progress: ImageProgress) => void,
): Promise<Digest> {
  const { file, diffId, digest, compression } = layer
  if (diffId !== null && layers.hold(diffId) !== undefined) return diffId
  const id = shortId(diffId ?? digest?.text ?? file.name)
  const tell = (currentBytes: number) =>
    report({ type: 'layer', id, status: 'Loading layer', currentBytes, totalBytes: file.sizeBytes })
  let toldBytes = 0
  const stored = await layers.add(archive.open(file), {
    what: `layer ${id}`,
    ...(diffId === null ? {} : { diffId }),
    ...(digest === null ? {} : { digest }),
    ...(compression === null ? {} : { compression }),
    onProgress: (takenBytes) => {
      if (takenBytes - toldBytes < PROGRESS_STEP_BYTES && takenBytes < file.sizeBytes) return
      toldBytes = takenBytes
      tell(takenBytes)
    },
  })
  return stored.digest
}
