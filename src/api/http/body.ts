import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

import { messageOf } from '#base'

import { httpError } from './errors.ts'

/** The largest request that clients send as JSON is a container with its profile and mounts, some 100 KiB. */
const MAX_JSON_BODY_BYTES = 4 * 1024 * 1024

/** Deeper than any request of the API; keeps hostile nesting away from recursive readers. */
const MAX_JSON_DEPTH = 32

export type JsonObject = Readonly<Record<string, unknown>>

/** Reads all of a body, up to a bound. Errors: `http.body_too_large`. */
export async function readBytes(body: Readable, limit: number = MAX_JSON_BODY_BYTES): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limit) throw httpError('http.body_too_large', `the request body is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
}

/** A JSON object; no body is an empty object. A body must say that it is JSON: no form of a web page does. Errors: `http.body_invalid`. */
export async function readJson(request: IncomingMessage): Promise<JsonObject> {
  const bytes = await readBytes(request)
  if (bytes.length > 0) requireJsonType(request.headers['content-type'] ?? '')
  return parseJsonObject(bytes)
}

function requireJsonType(header: string): void {
  if (header === '') throw httpError('http.body_invalid', "malformed Content-Type header (): it must be 'application/json'")
  if (header.split(';')[0]?.trim().toLowerCase() !== 'application/json')
    throw httpError('http.body_invalid', `unsupported Content-Type header (${header}): must be 'application/json'`)
}

export function parseJsonObject(bytes: Buffer): JsonObject {
  const text = bytes.toString('utf8').trim()
  if (text === '' || text === 'null') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const said = messageOf(error)
    const message = said.includes('after JSON') ? 'unexpected content after JSON' : `invalid JSON: ${said}`
    throw httpError('http.body_invalid', message, { cause: error })
  }
  if (!isObject(value)) throw httpError('http.body_invalid', 'invalid JSON: the request body is not an object')
  if (isDeeperThan(value, MAX_JSON_DEPTH))
    throw httpError('http.body_invalid', `invalid JSON: it nests deeper than ${MAX_JSON_DEPTH} levels`)
  return value
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  return Object.values(value).some((inner) => isDeeperThan(inner, depth - 1))
}
