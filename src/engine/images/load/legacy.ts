import type { Digest } from '#base'
import {
  emptyProcessConfig,
  isObject,
  MAX_CONFIG_BYTES,
  MAX_LAYERS,
  MAX_MANIFEST_BYTES,
  parseImageConfig,
  parseStrictJson,
  platform,
  writeImageConfig,
  type ImageConfig,
} from '#oci/image'
import { isTag, parseReference, type ImageReference } from '#oci/reference'

import { MAX_ARCHIVE_IMAGES } from '../limits.ts'
import { invalidArchive, shown, type Archive } from './archive.ts'
import type { PlannedImage } from './planned-image.ts'

/**
 * Docker's first format (moby, image/spec/v1.md): `repositories` names a layer, each layer a directory with `json`, `layer.tar` and
 * the id of its parent. The configuration is put together from the chain.
 */
export function planLegacyArchive(archive: Archive): readonly PlannedImage[] {
  const value = parseStrictJson(archive.read('repositories', MAX_MANIFEST_BYTES), 'repositories')
  if (!isObject(value)) throw invalidArchive('repositories is not an object')
  const names = new Map<string, ImageReference[]>()
  for (const [repository, tags] of Object.entries(value)) {
    if (!isObject(tags)) throw invalidArchive(`repositories: ${shown(repository)} is not an object`)
    for (const [tag, id] of Object.entries(tags)) {
      if (typeof id !== 'string' || !LAYER_ID.test(id))
        throw invalidArchive(`repositories: ${shown(repository)} does not name an image`)
      if (!isTag(tag)) throw invalidArchive(`repositories: ${shown(tag)} is not a tag`)
      names.set(id, [...(names.get(id) ?? []), parseReference(`${repository}:${tag}`)])
    }
  }
  if (names.size > MAX_ARCHIVE_IMAGES)
    throw invalidArchive(`repositories names ${names.size} images, more than ${MAX_ARCHIVE_IMAGES}`)
  return [...names].map(([id, references]) => planImage(archive, id, references))
}

const LAYER_ID = /^[0-9a-f]{64}$/

interface LegacyLayer {
  readonly id: string
  readonly config: ImageConfig
}

function planImage(archive: Archive, top: string, names: readonly ImageReference[]): PlannedImage {
  const chain = readChain(archive, top)
  const image = chain.at(-1)?.config
  return {
    what: `image ${top}`,
    names,
    platform: platform(image?.os ?? 'linux', image?.architecture ?? '', image?.variant ?? ''),
    layers: chain.map(({ id }) => ({ file: archive.file(`${id}/layer.tar`), diffId: null, digest: null })),
    configBytes: (diffIds: readonly Digest[]) =>
      writeImageConfig({
        architecture: image?.architecture ?? '',
        os: image?.os ?? 'linux',
        variant: image?.variant ?? '',
        created: image?.created ?? '',
        author: image?.author ?? '',
        comment: image?.comment ?? '',
        config: image?.config ?? emptyProcessConfig(),
        diffIds,
        history: chain.map(({ config }) => ({
          created: config.created,
          createdBy: '',
          author: config.author,
          comment: config.comment,
          isEmptyLayer: false,
        })),
      }),
  }
}

/** Base first. */
function readChain(archive: Archive, top: string): readonly LegacyLayer[] {
  const chain: LegacyLayer[] = []
  const seen = new Set<string>()
  let id: string | null = top
  while (id !== null) {
    if (seen.has(id)) throw invalidArchive(`the layer ${id} is its own ancestor`)
    if (seen.size >= MAX_LAYERS) throw invalidArchive(`image ${top} has more than ${MAX_LAYERS} layers`)
    seen.add(id)
    const { config, parent } = readLayer(archive, id)
    chain.unshift({ id, config })
    id = parent
  }
  return chain
}

function readLayer(archive: Archive, id: string): { readonly config: ImageConfig; readonly parent: string | null } {
  const name = `${id}/json`
  const value = parseStrictJson(archive.read(name, MAX_CONFIG_BYTES), name)
  if (!isObject(value)) throw invalidArchive(`${name} is not an object`)
  const parent = value['parent'] ?? null
  if (parent !== null && (typeof parent !== 'string' || !LAYER_ID.test(parent)))
    throw invalidArchive(`${name}: parent is not an id`)
  // The same fields as today's configuration, without a root file system.
  const today = { ...value, rootfs: { type: 'layers', diff_ids: [] }, history: [] }
  return { config: parseImageConfig(Buffer.from(JSON.stringify(today)), name), parent }
}
