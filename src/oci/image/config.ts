import type { Digest } from '#base'
import { parseDigest } from '#oci/digest'

import { imageFormatError, invalidConfig } from './errors.ts'
import { isObject, parseStrictJson, type JsonObject } from './json.ts'
import { MAX_CONFIG_BYTES, MAX_HISTORY, MAX_LAYERS } from './limits.ts'
import { readProcessConfig, writeProcessConfig, type ImageProcessConfig } from './process-config.ts'

/** What the zero time of Go's clients looks like: an image that says nothing of its age. */
const ZERO_TIME = '0001-01-01T00:00:00Z'

export interface ImageHistory {
  readonly created: string
  readonly createdBy: string
  readonly author: string
  readonly comment: string
  readonly isEmptyLayer: boolean
}

/** image-spec, config.md; `comment` is Docker's. */
export interface ImageConfig {
  readonly architecture: string
  readonly os: string
  readonly variant: string
  /** RFC 3339. */
  readonly created: string
  readonly author: string
  readonly comment: string
  readonly config: ImageProcessConfig
  /** Digests of the uncompressed layer tars, base first. */
  readonly diffIds: readonly Digest[]
  readonly history: readonly ImageHistory[]
}

const NAME = /^[A-Za-z0-9_.-]{0,64}$/
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/

/**
 * Reads a configuration. Errors: `image_config.invalid`, `image_config.too_large`, `json.invalid`, `digest.invalid`.
 * The caller keeps the exact bytes: the image's id is their digest.
 */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  if (bytes.length > MAX_CONFIG_BYTES)
    throw imageFormatError('image_config.too_large', `${what} has ${bytes.length} bytes, more than ${MAX_CONFIG_BYTES}`)
  const value = parseStrictJson(bytes, what)
  if (!isObject(value)) throw invalidConfig(what, 'is not an object')
  const os = name(value, 'os', what)
  return {
    architecture: name(value, 'architecture', what),
    os: os === '' ? 'linux' : os,
    variant: name(value, 'variant', what),
    created: time(value['created'], `${what}: created`),
    author: text(value, 'author', what),
    comment: text(value, 'comment', what),
    config: readProcessConfig(value['config'], `${what}: config`),
    diffIds: diffIds(value['rootfs'], `${what}: rootfs`),
    history: history(value['history'], `${what}: history`),
  }
}

/** Same configuration, same bytes: fixed order, maps sorted, what is empty left out. */
export function writeImageConfig(image: ImageConfig): Buffer {
  const written: Record<string, unknown> = { architecture: image.architecture }
  const put = (key: string, value: string) => {
    if (value !== '') written[key] = value
  }
  put('variant', image.variant)
  written['os'] = image.os
  written['created'] = image.created
  put('author', image.author)
  put('comment', image.comment)
  written['config'] = writeProcessConfig(image.config)
  written['rootfs'] = { type: 'layers', diff_ids: image.diffIds }
  written['history'] = image.history.map(writeHistory)
  return Buffer.from(JSON.stringify(written))
}

/** Every layer has one entry of history that made it, when there is any history at all. */
export function historyFits(image: ImageConfig): boolean {
  return image.history.length === 0 || image.history.filter((entry) => !entry.isEmptyLayer).length === image.diffIds.length
}

function writeHistory(entry: ImageHistory): JsonObject {
  return {
    created: entry.created,
    ...(entry.createdBy === '' ? {} : { created_by: entry.createdBy }),
    ...(entry.author === '' ? {} : { author: entry.author }),
    ...(entry.comment === '' ? {} : { comment: entry.comment }),
    ...(entry.isEmptyLayer ? { empty_layer: true } : {}),
  }
}

function diffIds(value: unknown, what: string): readonly Digest[] {
  if (!isObject(value)) throw invalidConfig(what, 'is not an object')
  if (value['type'] !== 'layers')
    throw invalidConfig(what, `type is ${JSON.stringify(value['type'])?.slice(0, 100)} and not "layers"`)
  const list = value['diff_ids'] ?? []
  if (!Array.isArray(list)) throw invalidConfig(what, 'diff_ids is not a list')
  if (list.length > MAX_LAYERS) throw invalidConfig(what, `has ${list.length} layers, more than ${MAX_LAYERS}`)
  return list.map((item, index) => parseDigest(item, `${what}: diff_ids[${index}]`))
}

function history(value: unknown, what: string): readonly ImageHistory[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalidConfig(what, 'is not a list')
  if (value.length > MAX_HISTORY) throw invalidConfig(what, `has ${value.length} entries, more than ${MAX_HISTORY}`)
  return value.map((item, index) => {
    const place = `${what}[${index}]`
    if (!isObject(item)) throw invalidConfig(place, 'is not an object')
    const isEmptyLayer = item['empty_layer'] ?? false
    if (typeof isEmptyLayer !== 'boolean') throw invalidConfig(place, 'empty_layer is neither true nor false')
    return {
      created: time(item['created'], `${place}: created`),
      createdBy: text(item, 'created_by', place),
      author: text(item, 'author', place),
      comment: text(item, 'comment', place),
      isEmptyLayer,
    }
  })
}

function text(value: JsonObject, key: string, what: string): string {
  const found = value[key] ?? ''
  if (typeof found !== 'string') throw invalidConfig(what, `${key} is not text`)
  return found
}

function name(value: JsonObject, key: string, what: string): string {
  const found = text(value, key, what)
  if (!NAME.test(found)) throw invalidConfig(what, `${key} ${JSON.stringify(found.slice(0, 100))} is not a name`)
  return found
}

function time(value: unknown, what: string): string {
  if (value === undefined || value === null || value === '') return ZERO_TIME
  if (typeof value !== 'string' || !RFC3339.test(value) || (value !== ZERO_TIME && Number.isNaN(Date.parse(value))))
    throw invalidConfig(what, `${JSON.stringify(value)?.slice(0, 100)} is not a time of RFC 3339`)
  return value
}
