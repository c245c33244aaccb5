import { isKind, shortId, type Digest } from '#base'
import type { ImageTransfer } from '#engine/images'
import { digestOf, isDigest } from '#oci/digest'
import {
  formatPlatform,
  hostPlatform,
  isImageConfigType,
  layerCompression,
  MAX_CONFIG_BYTES,
  parseImageConfig,
  parsePlatform,
  platform,
  choosePlatform,
  type ImageConfig,
  type ImageManifest,
  type Platform,
} from '#oci/image'
import { canonicalName, familiarName, familiarText, parseReference, withDefaultTag, type ImageReference } from '#oci/reference'

import { connect, openWire } from './connect.ts'
import { readCredentials } from './credentials.ts'
import { registryError } from './errors.ts'
import type { TransferNeeds } from './needs.ts'
import type { RawCredentials, RegistryProgress } from './port.ts'
import { pullLayers } from './pull-layers.ts'
import { readWhole } from './read-whole.ts'
import { pullError } from './refusal.ts'
import { openRepository, type Repository } from './repository.ts'
import { resolveManifest, type ResolvedManifest } from './resolve-manifest.ts'
import type { Session } from './session.ts'

export interface PullRequest {
  readonly ref: string
  readonly isEveryTag?: boolean
  readonly platform: string | null
  readonly credentials: RawCredentials | null
  readonly signal: AbortSignal
}

type Report = (progress: RegistryProgress) => void

/** Fetches an image with all its layers and gives it its names. What fails leaves nothing behind that no image names. */
export async function pullImage(
  needs: TransferNeeds,
  request: PullRequest,
  report: Report,
): Promise<readonly RegistryProgress[]> {
  const reference = withDefaultTag(parseReference(request.ref))
  const wanted = request.platform === null ? null : parsePlatform(request.platform)
  const credentials = readCredentials(request.credentials, reference.registry)
  const shown = { name: familiarName(reference), text: familiarText(reference) }
  const { signal } = request
  using wire = openWire(needs)
  let failure: unknown
  for await (const session of connect({ ...needs, wire, signal }, reference.registry, credentials, 'pull')) {
    try {
      const results: RegistryProgress[] = []
      for (const one of request.isEveryTag === true ? await everyTag(needs, session, reference) : [reference])
        results.push(...(await pullFrom(needs, session, one, wanted, report)))
      return results
    } catch (error) {
      failure = pullError(error, shown)
      // Whatever is wrong with a mirror: the registry itself may have it.
      if (!session.endpoint.isMirror || signal.aborted || isKind(error, 'cancelled')) break
    }
  }
  throw failure
}

async function everyTag(needs: TransferNeeds, session: Session, reference: ImageReference): Promise<readonly ImageReference[]> {
  const tags = await openRepository(needs, session, reference.path, 'pull').tags()
  return tags.map((tag) => ({ ...reference, tag }))
}

async function pullFrom(
  needs: TransferNeeds,
  session: Session,
  reference: ImageReference,
  wanted: Platform | null,
  report: Report,
): Promise<readonly RegistryProgress[]> {
  const repository = openRepository(needs, session, reference.path, 'pull')
  const resolved = await resolveManifest(repository, reference.digest ?? reference.tag ?? '', wanted ?? hostPlatform())
  const { manifest, top } = resolved
  report({ type: 'status', text: `Pulling from ${reference.path}`, id: reference.digest ?? reference.tag ?? '' })
  await using transfer = needs.images.transfer()
  const names = namesOf(reference, resolved)
  const { id, isNew } = await storeImage(needs, transfer, { session, repository, manifest, reference, names, wanted, report })
  transfer.tell('pull', id, familiarText(reference))
  return [
    { type: 'status', text: `Digest: ${top.digest}` },
    {
      type: 'status',
      text: `Status: ${isNew ? 'Downloaded newer image for' : 'Image is up to date for'} ${familiarText(reference)}`,
    },
    { type: 'pulled', imageId: id, digest: top.digest },
  ]
}

/** The tag that was asked for, and the digest of what it named, by which it can be asked for again. */
function namesOf(reference: ImageReference, { top }: ResolvedManifest): readonly ImageReference[] {
  const byDigest = { ...reference, tag: null, digest: top.digest }
  return reference.digest === null ? [reference, byDigest] : [byDigest]
}

async function storeImage(
  needs: TransferNeeds,
  transfer: ImageTransfer,
  pull: {
    readonly session: Session
    readonly repository: Repository
    readonly manifest: ImageManifest
    readonly reference: ImageReference
    readonly names: readonly ImageReference[]
    readonly wanted: Platform | null
    readonly report: Report
  },
): Promise<{ readonly id: Digest; readonly isNew: boolean }> {
  const { manifest, repository } = pull
  const present = isDigest(manifest.config.digest.text) ? needs.images.find(manifest.config.digest.text) : undefined
  const configBytes = present === undefined ? await readConfig(repository, manifest) : await transfer.configBytes(present.id)
  const config = parseImageConfig(configBytes, `configuration ${manifest.config.digest.text}`)
  checkFit(manifest, config, pull.wanted)
  await pullLayers(needs, transfer, config, { ...pull, home: canonicalName(pull.reference) })
  const id = digestOf(configBytes)
  if (needs.images.find(id) === undefined) return await transfer.store(configBytes, pull.names)
  return { id, isNew: transfer.name(id, pull.names) }
}

/** Nothing but an image is fetched further than this: charts, signatures and the like have configurations of other types. */
async function readConfig(repository: Repository, manifest: ImageManifest): Promise<Buffer> {
  const { mediaType, digest } = manifest.config
  const what = `configuration ${digest.text}`
  if (!isImageConfigType(mediaType))
    throw registryError(
      'registry.artifact_unsupported',
      `${repository.path}: its configuration is of the type ${mediaType}: this is no image`,
    )
  return await readWhole(repository, manifest.config, MAX_CONFIG_BYTES, what)
}

function checkFit(manifest: ImageManifest, config: ImageConfig, wanted: Platform | null): void {
  const what = `configuration ${shortId(manifest.config.digest.text)}`
  if (config.diffIds.length !== manifest.layers.length)
    throw registryError(
      'registry.layers_mismatch',
      `${what} names ${config.diffIds.length} layers and its manifest ${manifest.layers.length}`,
    )
  for (const layer of manifest.layers)
    if (layerCompression(layer.mediaType) === undefined)
      throw registryError(
        'registry.artifact_unsupported',
        `layer ${layer.digest.text}: ${layer.mediaType} is no file system layer`,
      )
  if (config.os !== 'linux')
    throw registryError(
      'registry.platform_missing',
      `image operating system ${JSON.stringify(config.os)} cannot be used on this platform`,
    )
  const own = platform(config.os, config.architecture, config.variant)
  if (wanted !== null && choosePlatform(wanted, [own], (offer) => offer) === undefined)
    throw registryError(
      'registry.platform_missing',
      `the image does not match the specified platform: wanted ${formatPlatform(wanted)}, actual: ${formatPlatform(own)}`,
    )
}
