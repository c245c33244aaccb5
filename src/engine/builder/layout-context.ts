import { during } from '#base'
import { parseVerifiableDigest, verifier } from '#oci/digest'
import {
  choosePlatform,
  formatPlatform,
  MAX_CONFIG_BYTES,
  MAX_INDEX_DEPTH,
  MAX_MANIFEST_BYTES,
  parseImageConfig,
  parseManifest,
  platform as platformOf,
  type Descriptor,
  type ImageManifest,
  type Platform,
} from '#oci/image'
import { bytesOfText } from '#oci/tar'

import { buildError } from './errors.ts'
import type { FileTree } from './file-tree.ts'
import type { BaseImage, BuildExchange, BuildImages, BuildPorts } from './ports.ts'
import type { GivenDirectory } from './request.ts'
import { readSmallFile } from './resolve-path.ts'

const REF_NAME = 'org.opencontainers.image.ref.name'
const PREFIX = 'oci-layout://'

/** How a plan names the image of a layout. */
export function layoutReference(name: string): string {
  return `${PREFIX}${name}`
}

export function isLayout(reference: string): boolean {
  return reference.startsWith(PREFIX)
}

/** The ports of a build that was given OCI layouts: their images are taken in when the plan wants them. */
export function withLayouts<T extends Pick<BuildPorts, 'images' | 'exchange'>>(
  ports: T,
  directories: ReadonlyMap<string, GivenDirectory> = new Map(),
): T {
  if (![...directories.values()].some(({ layout }) => layout !== undefined)) return ports
  const resolve: BuildImages['resolve'] = async (reference, options) => {
    const name = isLayout(reference) ? reference.slice(PREFIX.length) : undefined
    const found = name === undefined ? undefined : directories.get(name)
    if (name === undefined || found?.layout === undefined) return await ports.images.resolve(reference, options)
    try {
      return await layoutImage(found.tree, found.layout, options.platform, ports.exchange)
    } catch (error) {
      throw during(`the build context ${name}`, error)
    }
  }
  return { ...ports, images: { ...ports.images, resolve } }
}

/**
 * The image of an OCI layout (image-spec, image-layout.md) by tag or digest, for a platform; without either the tag `latest`, or the only one
 * that is there. Stored without a name, each blob checked. Errors: `build.context_invalid`, `manifest.*`, `digest.*`, `content.*`.
 */
export async function layoutImage(
  tree: FileTree,
  reference: string,
  platform: Platform,
  exchange: Pick<BuildExchange, 'importImage'>,
): Promise<BaseImage> {
  const manifest = await manifestFor(tree, await entryOf(tree, reference), platform, 0)
  const configBytes = await blob(tree, manifest.config, MAX_CONFIG_BYTES)
  const config = parseImageConfig(configBytes, `the configuration ${manifest.config.digest.text}`)
  if (config.diffIds.length !== manifest.layers.length)
    throw invalid(`${manifest.digest} has ${manifest.layers.length} layers, and its configuration ${config.diffIds.length}`)
  const layers = await Promise.all(
    manifest.layers.map(async ({ digest, sizeBytes }, index) => {
      const path = pathOf(digest)
      if ((await tree.lstat(path))?.type !== 'file') throw invalid(`the layout has no blob ${digest.text}`)
      const diffId = config.diffIds[index]
      if (diffId === undefined) throw invalid(`the layer ${digest.text} has no diff id`)
      return { digest, sizeBytes, diffId, open: () => tree.read(path) }
    }),
  )
  const id = await exchange.importImage(configBytes, layers)
  return { id, config, digests: [manifest.digest] }
}

async function entryOf(tree: FileTree, reference: string): Promise<Descriptor> {
  const bytes = await readSmallFile(tree, bytesOfText('index.json'), MAX_MANIFEST_BYTES)
  if (bytes === undefined) throw invalid('the directory is no OCI layout: it has no index.json')
  const index = parseManifest(bytes, null, 'index.json')
  if (index.kind !== 'index') throw invalid('index.json is no index')
  if (reference.startsWith('sha256:') || reference.startsWith('sha512:')) {
    const digest = parseVerifiableDigest(reference)
    const listed = index.manifests.find((entry) => entry.digest.text === digest.text)
    if (listed !== undefined) return listed
    const sizeBytes = (await tree.lstat(pathOf(digest)))?.sizeBytes
    if (sizeBytes === undefined) throw invalid(`the layout has no ${reference}`)
    return { mediaType: '', digest, sizeBytes, annotations: {}, platform: null, urls: [], artifactType: '' }
  }
  const tag = reference === '' ? 'latest' : reference
  const found = index.manifests.find(({ annotations }) => annotations[REF_NAME] === tag)
  const only = reference === '' && index.manifests.length === 1 ? index.manifests[0] : undefined
  if (found !== undefined) return found
  if (only !== undefined) return only
  const tags = index.manifests.flatMap(({ annotations }) => annotations[REF_NAME] ?? []).slice(0, 20)
  throw buildError('build.context_invalid', `the layout has no tag ${JSON.stringify(tag)}`, {
    hint: tags.length === 0 ? 'Name the manifest by its digest.' : `It has ${tags.join(', ')}.`,
  })
}

async function manifestFor(tree: FileTree, entry: Descriptor, platform: Platform, depth: number): Promise<ImageManifest> {
  const mediaType = entry.mediaType === '' ? null : entry.mediaType
  const found = parseManifest(await blob(tree, entry, MAX_MANIFEST_BYTES), mediaType, `the manifest ${entry.digest.text}`)
  if (found.kind === 'manifest') return found
  if (depth >= MAX_INDEX_DEPTH) throw invalid(`its indices lie more than ${MAX_INDEX_DEPTH} deep`)
  const offers = found.manifests.filter((one) => one.platform?.os !== 'unknown')
  const nobody = platformOf('', '', '')
  const only = offers.length === 1 && offers[0]?.platform === null ? offers[0] : undefined
  const chosen = choosePlatform(platform, offers, (one) => one.platform ?? nobody) ?? only
  if (chosen === undefined) throw invalid(`${entry.digest.text} has nothing for ${formatPlatform(platform)}`)
  return await manifestFor(tree, chosen, platform, depth + 1)
}

async function blob(tree: FileTree, { digest, sizeBytes }: Descriptor, maxBytes: number): Promise<Buffer> {
  const bytes = await readSmallFile(tree, pathOf(digest), maxBytes)
  if (bytes === undefined) throw invalid(`the layout has no blob ${digest.text}`)
  const check = verifier({ digests: [digest], sizeBytes }, `the blob ${digest.text}`)
  check.update(bytes)
  check.finish()
  return bytes
}

function pathOf({ algorithm, hex }: { readonly algorithm: string; readonly hex: string }) {
  return bytesOfText(`blobs/${algorithm}/${hex}`)
}

function invalid(why: string) {
  return buildError('build.context_invalid', why)
}
