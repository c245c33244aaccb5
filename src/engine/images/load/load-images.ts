import type { Readable } from 'node:stream'

import { parsePlatform } from '#oci/image'

import { bodyOf, bytesOf } from '../bytes-of.ts'
import { shownReference } from '../names.ts'
import { publish, recordOf, type ImageParts } from '../parts.ts'
import type { ImageProgress, LoadOptions } from '../port.ts'
import { storeImage } from '../store-image.ts'
import { loadArchive } from './load.ts'
import { reporting } from './progress.ts'

/** Loads an archive, tells of each image, and then names what was loaded. */
export function loadImages(
  parts: ImageParts,
  archive: Readable,
  { platform = null, isBody = false, temporaryPath }: LoadOptions & { readonly temporaryPath: string },
): AsyncIterable<ImageProgress> {
  const source = isBody ? bodyOf(archive) : bytesOf(archive)
  const wanted = platform === null ? null : parsePlatform(platform)
  return reporting(async (report) => {
    const loaded = await loadArchive(
      { layers: parts.layers, temporaryPath, wanted, store: (image) => storeImage(parts, image) },
      source,
      report,
    )
    return loaded.flatMap(({ id, names, renamed }): readonly ImageProgress[] => {
      const image = recordOf(parts, id)
      publish(parts, 'load', id, names[0] ?? id, image.config.labels)
      const notes = renamed.map(({ reference, from }) => ({
        type: 'status' as const,
        text: `The image ${shownReference(reference)} already exists, renaming the old one with ID ${from} to empty string`,
      }))
      const refs = names.length === 0 ? [null] : names
      return [...notes, ...refs.map((ref) => ({ type: 'loaded' as const, image, ref }))]
    })
  })
}
