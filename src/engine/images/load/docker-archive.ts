import {
  isObject,
  MAX_CONFIG_BYTES,
  MAX_LAYERS,
  MAX_MANIFEST_BYTES,
  parseImageConfig,
  parseStrictJson,
  platform,
} from '#oci/image'
import { digestError, digestOf, parseVerifiableDigest, type VerifiableDigest } from '#oci/digest'
import { parseReference, type ImageReference } from '#oci/reference'

import { MAX_ARCHIVE_IMAGES } from '../limits.ts'
import { invalidArchive, shown, type Archive } from './archive.ts'
import type { PlannedImage, PlannedLayer } from './planned-image.ts'

/** `manifest.json` of `docker save` (moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset Format"). */
export function planDockerArchive(archive: Archive): readonly PlannedImage[] {
  const value = parseStrictJson(archive.read('manifest.json', MAX_MANIFEST_BYTES), 'manifest.json')
  if (!Array.isArray(value)) throw invalidArchive('manifest.json is not a list')
  if (value.length > MAX_ARCHIVE_IMAGES)
    throw invalidArchive(`manifest.json names ${value.length} images, more than ${MAX_ARCHIVE_IMAGES}`)
  return value.map((item, index) => planImage(archive, item, `manifest.json[${index}]`))
}

function planImage(archive: Archive, item: unknown, what: string): PlannedImage {
  if (!isObject(item)) throw invalidArchive(`${what} is not an object`)
  const configName = item['Config']
  if (typeof configName !== 'string') throw invalidArchive(`${what}: Config is not a name`)
  const layerNames = strings(item['Layers'], `${what}: Layers`)
  if (layerNames.length > MAX_LAYERS) throw invalidArchive(`${what} has ${layerNames.length} layers, more than ${MAX_LAYERS}`)
  const bytes = archive.read(configName, MAX_CONFIG_BYTES)
  const promised = configDigest(configName)
  if (promised !== null && digestOf(bytes) !== promised.text)
    throw digestError(
      'digest.mismatch',
      `${what}: the configuration has the digest ${digestOf(bytes)} and its name says ${promised.text}`,
    )
  const config = parseImageConfig(bytes, `${what}: ${shown(configName)}`)
  if (config.diffIds.length !== layerNames.length)
    throw invalidArchive(`${what} lists ${layerNames.length} layers, its configuration ${config.diffIds.length}`)
  const layers = layerNames.map((name, index): PlannedLayer => {
    const diffId = config.diffIds[index] ?? null
    return { file: archive.file(name), diffId, digest: blobDigest(name) }
  })
  const names = strings(item['RepoTags'], `${what}: RepoTags`).map(readName)
  return { what, names, platform: platform(config.os, config.architecture, config.variant), layers, configBytes: () => bytes }
}

function readName(text: string): ImageReference {
  const reference = parseReference(text)
  if (reference.tag === null || reference.digest !== null) throw invalidArchive(`${shown(text)} is not a name with a tag`)
  return reference
}

/** `blobs/sha256/HEX` promises its bytes. */
function blobDigest(name: string): VerifiableDigest | null {
  const match = /^blobs\/([^/]*)\/([^/]*)$/.exec(name)
  return match === null ? null : parseVerifiableDigest(`${match[1]}:${match[2]}`, shown(name))
}

/** So does `HEX.json`, of older clients. */
function configDigest(name: string): VerifiableDigest | null {
  const match = /^([0-9a-f]{64})\.json$/.exec(name)
  return match === null ? blobDigest(name) : parseVerifiableDigest(`sha256:${match[1]}`)
}

function strings(value: unknown, what: string): readonly string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw invalidArchive(`${what} is not a list of names`)
  return value
}
