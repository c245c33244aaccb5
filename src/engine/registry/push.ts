import { during, shortId, type GloveboxError, type Digest } from '#base'
import type { ImageRecord, ImageTransfer } from '#engine/images'
import { digestOf } from '#oci/digest'
import { canonicalName, familiarText, parseReference, type ImageReference } from '#oci/reference'

import { connect, openWire } from './connect.ts'
import { readCredentials } from './credentials.ts'
import { registryError } from './errors.ts'
import type { TransferNeeds } from './needs.ts'
import type { RawCredentials, RegistryProgress } from './port.ts'
import { pushLayer } from './push-layer.ts'
import { planManifest, type PushedLayer } from './push-manifest.ts'
import { openRepository, type Repository } from './repository.ts'
import type { Session } from './session.ts'

export interface PushRequest {
  readonly name: string
  /** null: every tag of the repository. */
  readonly tag: string | null
  readonly credentials: RawCredentials | null
  readonly signal: AbortSignal
}

type Report = (progress: RegistryProgress) => void

/** Sends images under their own names. Blobs that the registry has are not sent again; the manifest comes last. */
export async function pushImage(
  needs: TransferNeeds,
  request: PushRequest,
  report: Report,
): Promise<readonly RegistryProgress[]> {
  const repositoryName = readName(request.name)
  const references = chooseReferences(needs, repositoryName, request.tag)
  const credentials = readCredentials(request.credentials, repositoryName.registry)
  using wire = openWire(needs)
  const results: RegistryProgress[] = []
  for await (const session of connect({ ...needs, wire, signal: request.signal }, repositoryName.registry, credentials, 'push')) {
    const repository = openRepository(needs, session, repositoryName.path, 'pull,push')
    report({ type: 'status', text: `The push refers to repository [${canonicalName(repositoryName)}]` })
    for (const reference of references) results.push(...(await pushOne(needs, { session, repository, reference, report })))
  }
  return results
}

/** Error: `reference.invalid`. */
function readName(name: string): ImageReference {
  const reference = parseReference(name)
  if (reference.tag === null && reference.digest === null) return reference
  throw registryError('registry.option_invalid', `push ${name}: give the tag apart from the name`)
}

function chooseReferences(needs: TransferNeeds, name: ImageReference, tag: string | null): readonly ImageReference[] {
  if (tag !== null) {
    const reference = parseReference(`${familiarText(name)}:${tag}`)
    if (needs.images.find(familiarText(reference)) !== undefined) return [reference]
    throw registryError('registry.image_missing', `An image does not exist locally with the tag: ${familiarText(reference)}`)
  }
  const mine = needs.images
    .list()
    .flatMap(({ tags }) => tags.map((text) => parseReference(text)))
    .filter((reference) => canonicalName(reference) === canonicalName(name))
    .toSorted((a, b) => ((a.tag ?? '') < (b.tag ?? '') ? -1 : 1))
  if (mine.length > 0) return mine
  throw registryError('registry.image_missing', `An image does not exist locally with the tag: ${familiarText(name)}`)
}

interface Push {
  readonly session: Session
  readonly repository: Repository
  readonly reference: ImageReference
  readonly report: Report
}

async function pushOne(needs: TransferNeeds, push: Push): Promise<readonly RegistryProgress[]> {
  const { reference, repository } = push
  const text = familiarText(reference)
  const image = needs.images.get(text)
  await using transfer = needs.images.transfer()
  const layers = await pushLayers(needs, transfer, image, push)
  const configBytes = await transfer.configBytes(image.id)
  if (!(await repository.hasBlob(image.id))) await repository.upload(image.id, configBytes)
  const { mediaType, bytes } = planManifest({ digest: image.id, sizeBytes: configBytes.length }, layers)
  const tag = reference.tag ?? ''
  await repository.putManifest(tag, mediaType, bytes)
  const digest = digestOf(bytes)
  transfer.name(image.id, [{ ...reference, tag: null, digest }])
  transfer.tell('push', image.id, text)
  return [
    { type: 'status', text: `${tag}: digest: ${digest} size: ${bytes.length}` },
    { type: 'pushed', tag, digest, sizeBytes: bytes.length },
  ]
}

async function pushLayers(
  needs: TransferNeeds,
  transfer: ImageTransfer,
  image: ImageRecord,
  push: Push,
): Promise<readonly PushedLayer[]> {
  for (const { diffId } of image.layers) {
    if (!transfer.hold(diffId)) throw registryError('registry.image_missing', `the layer ${diffId} of ${image.id} is not stored`)
    push.report({ type: 'layer', id: shortId(diffId), status: 'Preparing' })
  }
  let failure: GloveboxError | undefined
  // The same layer may be in an image twice: it is sent once.
  const sent = new Map<Digest, Promise<PushedLayer | undefined>>()
  for (const { diffId, sizeBytes } of image.layers) {
    if (sent.has(diffId)) continue
    const home = canonicalName(push.reference)
    const work = needs.locks.run(diffId, async () => {
      return await needs.uploads.run(async () => await pushLayer(needs, transfer, { diffId, sizeBytes }, { ...push, home }))
    })
    sent.set(
      diffId,
      work.catch((error: unknown) => {
        failure ??= during(`layer ${shortId(diffId)}`, error)
        push.session.stop()
        return undefined
      }),
    )
  }
  const results = new Map(await Promise.all([...sent].map(async ([diffId, work]) => [diffId, await work] as const)))
  if (failure !== undefined) throw failure
  return image.layers.map(({ diffId }) => results.get(diffId)).filter((layer) => layer !== undefined)
}
