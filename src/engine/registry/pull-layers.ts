import { during, fail, shortId, type Digest } from '#base'
import { givingBack, type ByteSource } from '#engine/content'
import type { ImageTransfer } from '#engine/images'
import { isDigest } from '#oci/digest'
import type { Descriptor, ImageConfig, ImageManifest } from '#oci/image'

import { registryError } from './errors.ts'
import { PROGRESS_STEP_BYTES } from './limits.ts'
import type { TransferNeeds } from './needs.ts'
import { takeLayer } from './own.ts'
import type { RegistryProgress } from './port.ts'
import type { Repository } from './repository.ts'
import type { Session } from './session.ts'

export interface LayersPull {
  readonly repository: Repository
  readonly manifest: ImageManifest
  readonly session: Session
  readonly report: (progress: RegistryProgress) => void
  /** `localhost:5000/team/web`. */
  readonly home: string
}

/**
 * Brings the layers that are not here, a few at a time, each checked against the digest of the manifest and that of the configuration
 * before it is visible. The first that fails ends the others.
 */
export async function pullLayers(
  needs: TransferNeeds,
  transfer: ImageTransfer,
  config: ImageConfig,
  pull: LayersPull,
): Promise<void> {
  const tell = (layer: Descriptor, status: string) => pull.report({ type: 'layer', id: shortId(layer.digest.text), status })
  for (const layer of pull.manifest.layers) tell(layer, 'Pulling fs layer')
  let failure: unknown
  const pulls = pull.manifest.layers.map(async (layer, index) => {
    const diffId = config.diffIds[index] as Digest
    try {
      using _turn = await needs.locks.acquire(diffId)
      if (transfer.hold(diffId)) return tell(layer, 'Already exists')
      tell(layer, 'Waiting')
      await needs.downloads.run(async () => {
        if (!pull.session.signal.aborted) await pullLayer(needs, transfer, layer, diffId, pull)
      })
    } catch (error) {
      failure ??= during(`layer ${shortId(layer.digest.text)}`, error)
      pull.session.stop()
    }
  })
  await Promise.all(pulls)
  if (failure !== undefined) throw failure
  if (pull.session.signal.aborted) throw fail('operation.cancelled', 'the pull was cancelled')
}

async function pullLayer(
  needs: TransferNeeds,
  transfer: ImageTransfer,
  layer: Descriptor,
  diffId: Digest,
  pull: LayersPull,
): Promise<void> {
  const { digest, sizeBytes } = layer
  const id = shortId(digest.text)
  const tell = (status: string, current?: number) =>
    pull.report({ type: 'layer', id, status, ...(current === undefined ? {} : { bytes: { current, total: sizeBytes } }) })
  const own = needs.own()
  const { repository, session } = pull
  const shared = { digest: digest.text, diffId, sizeBytes }
  if (own !== undefined && (await takeLayer({ own, host: session.endpoint.host, repository, transfer }, shared))) {
    needs.known.remember(diffId, { digest: diffId, sizeBytes, compression: 'none' }, pull.home)
    return tell('Pull complete')
  }
  const watched = watch(pull.repository.blob(digest, sizeBytes, `layer ${id}`), tell)
  await transfer
    .addLayer(givingBack(watched.source), {
      digest,
      sizeBytes,
      diffId,
      what: `layer ${id}`,
      beforeVisible: async () => {
        tell('Download complete')
        await Promise.resolve(tell('Extracting', sizeBytes))
      },
    })
    .catch((error: unknown) => {
      throw foreignOr(error, layer)
    })
  if (isDigest(digest.text))
    needs.known.remember(diffId, { digest: digest.text, sizeBytes, compression: watched.compression() }, pull.home)
  tell('Pull complete')
}

interface Watched {
  readonly source: ByteSource
  /** By the first bytes: media types are not always right. */
  compression(): 'none' | 'gzip' | 'zstd'
}

const GZIP = 0x1f8b
const ZSTD = 0x28b5

function watch(blob: ByteSource, tell: (status: string, current?: number) => void): Watched {
  let first: Buffer | undefined
  async function* source() {
    let takenBytes = 0
    let toldBytes = 0
    for await (const chunk of blob) {
      first ??= Buffer.from(chunk.subarray(0, 2))
      takenBytes += chunk.length
      if (takenBytes - toldBytes >= PROGRESS_STEP_BYTES) {
        toldBytes = takenBytes
        tell('Downloading', takenBytes)
      }
      yield chunk
    }
    tell('Verifying Checksum')
  }
  return {
    source: source(),
    compression: () => {
      const magic = first?.length === 2 ? first.readUInt16BE(0) : 0
      return magic === GZIP ? 'gzip' : magic === ZSTD ? 'zstd' : 'none'
    },
  }
}

/** Layers that lie elsewhere are asked for at the registry only: an address in a manifest is a stranger's. */
function foreignOr(error: unknown, layer: Descriptor): unknown {
  const isGone = error instanceof Error && 'code' in error && error.code === 'registry.blob_unknown'
  if (layer.urls.length === 0 || !isGone) return error
  return registryError(
    'registry.foreign_layer',
    `it is not on the registry but at ${layer.urls[0]?.slice(0, 200)}, which is not fetched`,
    {
      cause: error,
    },
  )
}
