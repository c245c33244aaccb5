import { isDigest } from '#oci/digest'
import { isObject, parseStrictJson, type JsonObject } from '#oci/image'

import { buildError } from '../errors.ts'
import type { CacheRecord } from '../ports.ts'

/** Of the configuration in a cache's manifest. */
export const CACHE_TYPE = 'application/vnd.glovebox.build-cache.v1+json'
/** Of an image's manifest that carries its own cache, and of a layer, for what it is uncompressed. */
export const CACHE_ANNOTATION = 'vnd.glovebox.build-cache.v1'
export const DIFF_ID_ANNOTATION = 'vnd.glovebox.diff-id'
/** Steps of the largest builds are thousands; each record has some 300 bytes. */
export const MAX_CACHE_BYTES = 16 * 1024 * 1024

const VERSION = 1
const KEY = /^[a-z]{1,20}-[0-9a-f]{64}$/
const MAX_TEXT = 2000

/** Keys of steps and what came of them. Which blob a layer is in says the manifest around it. */
export type CacheRecords = ReadonlyMap<string, CacheRecord>

/** Equal records, equal bytes: how often something was used is nobody else's concern. */
export function writeCacheRecords(records: CacheRecords): Buffer {
  const sorted = [...records].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, record]) => ({ key, ...written(record) }))
  return Buffer.from(JSON.stringify({ version: VERSION, records: sorted }))
}

function written(record: CacheRecord): JsonObject {
  if (record.kind !== 'layer') return { ...record }
  const { kind, diffId, sizeBytes, description, created } = record
  return { kind, ...(diffId === undefined ? {} : { diffId }), sizeBytes, description, created }
}

/** Error: `build.cache_invalid`, `json.invalid`. A record that is not as we write it spoils all: nothing of such a cache is believed. */
export function readCacheRecords(bytes: Uint8Array, what: string): CacheRecords {
  const document = parseStrictJson(bytes, what)
  if (!isObject(document) || document['version'] !== VERSION || !Array.isArray(document['records']))
    throw buildError('build.cache_invalid', `${what} is no cache of version ${VERSION}`)
  const records = new Map<string, CacheRecord>()
  for (const [index, value] of (document['records'] as readonly unknown[]).entries()) {
    const read = isObject(value) ? readRecord(value) : undefined
    if (read === undefined || records.has(read[0]))
      throw buildError('build.cache_invalid', `${what}: record ${index} is not one of a cache`)
    records.set(...read)
  }
  return records
}

function readRecord(value: JsonObject): [string, CacheRecord] | undefined {
  const { key, kind, created } = value
  if (typeof key !== 'string' || !KEY.test(key) || !isText(created) || Number.isNaN(Date.parse(created))) return undefined
  if (kind === 'image') return key.startsWith('image-') ? [key, { kind, created }] : undefined
  if (kind === 'content') {
    const { digest } = value
    return key.startsWith('select-') && isText(digest) ? [key, { kind, digest, created }] : undefined
  }
  const { diffId, sizeBytes, description } = value
  const isLayer = kind === 'layer' && (diffId === undefined || (typeof diffId === 'string' && isDigest(diffId)))
  if (!isLayer || !Number.isSafeInteger(sizeBytes) || Number(sizeBytes) < 0 || !isText(description)) return undefined
  const layer = { diffId, sizeBytes: Number(sizeBytes), description, created }
  return [key, { kind, ...layer, lastUsed: null, uses: 0 }]
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT
}
