import { systemCodeOf, type Digest } from '#base'
import type { ImageTransfer } from '#engine/images'

import type { Repository } from './repository.ts'

/**
 * The registry that this very daemon serves. What goes there, or comes from there, is here already: its file is shared instead of being
 * compressed, sent, checked and stored once more.
 */
export interface OwnRegistry {
  /** Whether images of this registry (`HOST:PORT`) may be its: the upload tells for sure. */
  mayBeAt(host: string): boolean
  /** Whether they are, for sure. */
  isAt(host: string): boolean
  /**
   * Makes a file the blob of an upload and ends that. False when this registry began no such upload. That it did is the proof that whoever
   * sends may push there: its id was given to him, for this repository, and nobody guesses one.
   */
  take(upload: {
    readonly repository: string
    readonly id: string
    readonly path: string
    readonly digest: Digest
  }): Promise<boolean>
  /** Where a blob's bytes are, if it is there. */
  find(repository: string, digest: Digest): string | undefined
}

export interface OwnTransfer {
  readonly own: OwnRegistry
  readonly host: string
  readonly repository: Repository
  readonly transfer: ImageTransfer
}

/** Has a layer's plain tar taken over as a blob; false when it has to be sent. */
export async function giveLayer({ own, host, repository, transfer }: OwnTransfer, diffId: Digest): Promise<boolean> {
  if (!own.mayBeAt(host)) return false
  const path = transfer.layerPath(diffId)
  return await repository.offer(async (id) => {
    return await shareable(() => own.take({ repository: repository.path, id, path, digest: diffId }))
  })
}

/** Takes a plain layer over; false when it has to be fetched. The registry is asked for it first, as whoever pulls. */
export async function takeLayer(
  { own, host, repository, transfer }: OwnTransfer,
  layer: { readonly digest: string; readonly diffId: Digest; readonly sizeBytes: number },
): Promise<boolean> {
  const { digest, diffId, sizeBytes } = layer
  if (digest !== diffId || !own.isAt(host) || !(await repository.hasBlob(digest))) return false
  const path = own.find(repository.path, diffId)
  return path !== undefined && (await shareable(() => transfer.linkLayer(path, { diffId, sizeBytes })))
}

/** Another file system, more links than one has, or a blob that went in this moment: the long way is left. */
const NOT_SHAREABLE = new Set(['EXDEV', 'EMLINK', 'EPERM', 'ENOENT'])

async function shareable(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work()
  } catch (error) {
    const code = systemCodeOf(error) ?? systemCodeOf(error instanceof Error ? error.cause : undefined)
    if (code !== undefined && NOT_SHAREABLE.has(code)) return false
    throw error
  }
}
