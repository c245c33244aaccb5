import { fail, shortId, type Digest } from '#base'
import type { ImageTransfer } from '#engine/images'

import { compressLayer } from './compress.ts'
import type { LayerForm } from './known-blobs.ts'
import { PROGRESS_STEP_BYTES } from './limits.ts'
import type { TransferNeeds } from './needs.ts'
import { giveLayer } from './own.ts'
import type { RegistryProgress } from './port.ts'
import type { PushedLayer } from './push-manifest.ts'
import type { Repository } from './repository.ts'
import type { Session } from './session.ts'
import type { RequestBody } from './wire.ts'

export interface LayerPush {
  readonly session: Session
  readonly repository: Repository
  readonly report: (progress: RegistryProgress) => void
  /** `localhost:5000/team/web`. */
  readonly home: string
}

interface LocalLayer {
  readonly diffId: Digest
  /** Uncompressed. */
  readonly sizeBytes: number
}

/** Has a layer on the registry: there already, taken over from another of its repositories, or compressed and sent. */
export async function pushLayer(
  needs: TransferNeeds,
  transfer: ImageTransfer,
  layer: LocalLayer,
  push: LayerPush,
): Promise<PushedLayer> {
  const id = shortId(layer.diffId)
  const tell = (status: string) => push.report({ type: 'layer', id, status })
  if (push.session.signal.aborted) throw fail('operation.cancelled', 'the push was cancelled')
  const { known } = needs
  for (const form of known.formsOf(layer.diffId)) {
    if (await push.repository.hasBlob(form.digest)) {
      known.remember(layer.diffId, form, push.home)
      tell('Layer already exists')
      return form
    }
    known.forget(layer.diffId, form.digest, push.home)
    const from = await mountFrom(form, push)
    if (from === undefined) continue
    known.remember(layer.diffId, form, push.home)
    tell(`Mounted from ${from}`)
    return form
  }
  return await sendLayer(needs, transfer, layer, push)
}

/** Only repositories of the same registry can be mounted from. */
async function mountFrom(form: LayerForm, { repository, home }: LayerPush): Promise<string | undefined> {
  const registry = home.slice(0, home.length - repository.path.length)
  const candidates = form.homes
    .filter((other) => other.startsWith(registry) && other !== home)
    .map((other) => other.slice(registry.length))
  for (const from of candidates) if (await repository.mount(form.digest, from)) return from
  return undefined
}

async function sendLayer(
  needs: TransferNeeds,
  transfer: ImageTransfer,
  layer: LocalLayer,
  push: LayerPush,
): Promise<PushedLayer> {
  const id = shortId(layer.diffId)
  const tell = (status: string, current?: number, total = layer.sizeBytes) =>
    push.report({ type: 'layer', id, status, ...(current === undefined ? {} : { bytes: { current, total } }) })
  const own = needs.own()
  const { repository, session } = push
  if (own !== undefined && (await giveLayer({ own, host: session.endpoint.host, repository, transfer }, layer.diffId))) {
    tell('Pushed')
    const shared = { digest: layer.diffId, sizeBytes: layer.sizeBytes, compression: 'none' as const }
    needs.known.remember(layer.diffId, shared, push.home)
    return shared
  }
  const steps = inSteps((takenBytes) => tell('Preparing', takenBytes))
  await using compressed = await compressLayer({
    tarPath: transfer.layerPath(layer.diffId),
    path: needs.temporaryPath(),
    program: needs.igzip(),
    onProgress: (takenBytes) => {
      if (push.session.signal.aborted) throw fail('operation.cancelled', 'the push was cancelled')
      steps(takenBytes)
    },
  })
  const { digest, sizeBytes } = compressed
  const pushed = { digest, sizeBytes, compression: 'gzip' as const }
  // The registry may have it from elsewhere: our bytes are the same on every machine with the same zlib.
  if (await push.repository.hasBlob(digest)) tell('Layer already exists')
  else {
    tell('Pushing', 0, sizeBytes)
    await push.repository.upload(
      digest,
      counted(compressed, (sentBytes) => tell('Pushing', sentBytes, sizeBytes)),
    )
    tell('Pushed')
  }
  needs.known.remember(layer.diffId, pushed, push.home)
  return pushed
}

function counted(body: RequestBody, tell: (sentBytes: number) => void): RequestBody {
  async function* chunks() {
    const steps = inSteps(tell)
    let sentBytes = 0
    for await (const chunk of body.open()) {
      sentBytes += chunk.length
      steps(sentBytes)
      yield chunk
    }
  }
  return { sizeBytes: body.sizeBytes, open: chunks }
}

function inSteps(tell: (bytes: number) => void): (bytes: number) => void {
  let toldBytes = 0
  return (bytes) => {
    if (bytes - toldBytes < PROGRESS_STEP_BYTES) return
    toldBytes = bytes
    tell(bytes)
  }
}
