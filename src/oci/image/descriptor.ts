import { parseVerifiableDigest, type VerifiableDigest } from '#oci/digest'

import { invalidManifest } from './errors.ts'
import { isObject } from './json.ts'
import { MAX_BLOB_BYTES, MAX_CONFIG_ENTRIES } from './limits.ts'
import { platform, type Platform } from './platform.ts'

/** image-spec, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: VerifiableDigest
  readonly sizeBytes: number
  readonly annotations: Readonly<Record<string, string>>
  /** null: none given. */
  readonly platform: Platform | null
  /** Places to fetch foreign layers from; never followed on their own. */
  readonly urls: readonly string[]
  readonly artifactType: string
}

/** RFC 6838, section 4.2, with the limits it gives for each half. */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/

export function readDescriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) throw invalidManifest(what, 'is not an object')
  const { mediaType, size } = value
  if (typeof mediaType !== 'string' || !MEDIA_TYPE.test(mediaType))
    throw invalidManifest(what, `mediaType ${JSON.stringify(mediaType)?.slice(0, 100)} is not a media type`)
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > MAX_BLOB_BYTES)
    throw invalidManifest(what, `size ${JSON.stringify(size)?.slice(0, 100)} is not a number of bytes`)
  return {
    mediaType,
    digest: parseVerifiableDigest(value['digest'], `${what}: digest`),
    sizeBytes: size,
    annotations: readStringMap(value['annotations'], `${what}: annotations`),
    platform: readPlatform(value['platform'], `${what}: platform`),
    urls: readStrings(value['urls'], `${what}: urls`),
    artifactType: readText(value['artifactType'], `${what}: artifactType`),
  }
}

function readPlatform(value: unknown, what: string): Platform | null {
  if (value === undefined || value === null) return null
  if (!isObject(value)) throw invalidManifest(what, 'is not an object')
  const os = readText(value['os'], `${what}: os`)
  const architecture = readText(value['architecture'], `${what}: architecture`)
  return platform(os, architecture, readText(value['variant'], `${what}: variant`))
}

function readText(value: unknown, what: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw invalidManifest(what, 'is not text')
  return value
}

function readStrings(value: unknown, what: string): readonly string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > MAX_CONFIG_ENTRIES || !value.every((item) => typeof item === 'string'))
    throw invalidManifest(what, 'is not a list of texts')
  return value
}

/** Annotations and the like. */
export function readStringMap(value: unknown, what: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) throw invalidManifest(what, 'is not an object')
  const entries = Object.entries(value)
  if (entries.length > MAX_CONFIG_ENTRIES) throw invalidManifest(what, `has more than ${MAX_CONFIG_ENTRIES} entries`)
  for (const [key, text] of entries)
    if (typeof text !== 'string') throw invalidManifest(what, `${JSON.stringify(key.slice(0, 100))} is not text`)
  return Object.fromEntries(entries) as Record<string, string>
}
