import { emptyProcessConfig, hostPlatform, parsePlatform, writeImageConfig } from '#oci/image'

import { bytesOf } from './bytes-of.ts'
import { applyChanges } from './changes.ts'
import { readTagTarget } from './names.ts'
import { publish, recordOf, type ImageParts } from './parts.ts'
import type { ImageRecord, Images } from './port.ts'
import { storeImage } from './store-image.ts'

/** Everything that can be wrong with the request is looked at before the first byte is read. */
export async function importImage(parts: ImageParts, options: Parameters<Images['import']>[0]): Promise<ImageRecord> {
  const tar = bytesOf(options.tar)
  const platform = options.platform === null ? hostPlatform() : parsePlatform(options.platform)
  const names = options.ref === null ? [] : [readTagTarget(options.ref)]
  const config = applyChanges(emptyProcessConfig(), options.changes)
  const layer = await parts.layers.add(tar, { what: 'imported file system' })
  try {
    const created = new Date(parts.clock.nowMs()).toISOString()
    const comment = options.message
    const configBytes = writeImageConfig({
      ...platform,
      created,
      author: '',
      comment,
      config,
      diffIds: [layer.diffId],
      history: [{ created, createdBy: '', author: '', comment, isEmptyLayer: false }],
    })
    const { id } = await storeImage(parts, { configBytes, names, parent: null })
    publish(parts, 'import', id, options.ref ?? id, config.labels)
    return recordOf(parts, id)
  } finally {
    parts.layers.release([layer.diffId])
    await parts.layers.collect([layer.diffId])
  }
}
