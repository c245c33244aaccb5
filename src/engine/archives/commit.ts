import type { Digest } from '#base'
import type { HeldFiles } from '#engine/containers'
import { applyChanges } from '#engine/images'
import { formatTimeNs } from '#engine/logs'
import { TAR_END } from '#oci/tar'

import { configOfContainer } from './commit-config.ts'
import type { ArchivesNeeds } from './needs.ts'
import { whilePaused } from './paused.ts'
import type { CommitRequest } from './port.ts'

/** What was changed becomes one layer on top of the container's image; nothing changed: none. */
export async function commitContainer(
  needs: ArchivesNeeds,
  ref: string,
  request: CommitRequest,
): Promise<{ readonly imageId: Digest }> {
  const { containers, images } = needs
  const { spec } = containers.get(ref)
  // What is wrong with the changes is found before anything is stored.
  const parent = images.config(spec.imageId)
  const config = applyChanges(configOfContainer(spec, parent.config), request.changes)
  return await containers.holdFiles(ref, async (files) => {
    const { diffId, sizeBytes } = await whilePaused(needs, files, request.shouldPause, () => storeDiff(needs, files))
    const isEmptyLayer = sizeBytes <= TAR_END.length
    const created = formatTimeNs(needs.clock.nowNs())
    const { author, comment } = request
    const createdBy = [...(spec.process.entrypoint ?? []), ...(spec.process.cmd ?? [])].join(' ')
    const { id } = await images.commit({
      config,
      architecture: parent.architecture,
      os: parent.os,
      variant: parent.variant,
      layers: isEmptyLayer ? parent.diffIds : [...parent.diffIds, diffId],
      history: [...parent.history, { created, createdBy, author, comment, isEmptyLayer }],
      created,
      author,
      comment,
      parent: spec.imageId,
      ...(request.ref === null ? {} : { ref: request.ref }),
    })
    publish(needs, files, { comment, imageID: id, imageRef: request.ref ?? '' })
    return { imageId: id }
  })
}

function storeDiff({ images, snapshots }: ArchivesNeeds, { record }: HeldFiles) {
  return images.addLayer(snapshots.diffTar(record.id))
}

function publish({ events }: ArchivesNeeds, { record }: HeldFiles, extra: Readonly<Record<string, string>>): void {
  const attributes = { ...record.spec.labels, image: record.spec.image, name: record.name, ...extra }
  events.publish({ type: 'container', action: 'commit', actorId: record.id, attributes })
}
