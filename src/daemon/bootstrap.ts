import type { BootstrapPort, BootstrapProgress } from '#api/glovebox'
import type { ImageProgress, Images } from '#engine/images'

/** Base images from the distribution's packages. There already: nothing is made. */
export function bootstrapPort(images: Images): BootstrapPort {
  return {
    bootstrap: async function* (reference) {
      const known = images.find(reference)
      if (known !== undefined) {
        yield { status: `${reference} is here already`, imageId: known.id }
        return
      }
      for await (const progress of images.bootstrap(reference)) yield lineOf(progress)
    },
  }
}

function lineOf(progress: ImageProgress): BootstrapProgress {
  if (progress.type === 'loaded') return { status: `made ${progress.ref ?? progress.image.id}`, imageId: progress.image.id }
  if (progress.type === 'status') return { status: progress.text }
  const { status, currentBytes, totalBytes } = progress
  return { status, current: currentBytes, ...(totalBytes > 0 ? { total: totalBytes } : {}) }
}
