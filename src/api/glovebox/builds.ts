import { isObject, parseStrictJson } from '#oci/image'

import { readBuildWish } from './build-wish.ts'
import { apiError } from './errors.ts'
import { linesOf } from './json-lines.ts'
import type { BuildWish, WireContextEntry } from './wire-builds.ts'

/** An entry with the longest path that Linux takes, each byte escaped. */
const MAX_LINE_BYTES = 64 * 1024
/** Options with secrets among them. */
const MAX_WISH_BYTES = 4 * 1024 * 1024
const MAX_ENTRIES = 1_000_000
const LENGTH_BYTES = 8

/** A context as a client lists it: `{"key": …}`, then one entry a line. Error: `api.bad_request`. */
export async function readContextList(
  source: AsyncIterable<Buffer>,
): Promise<{ readonly key: string; readonly entries: readonly WireContextEntry[] }> {
  const entries: WireContextEntry[] = []
  let key: string | undefined
  for await (const value of linesOf(source, MAX_LINE_BYTES)) {
    if (key !== undefined) {
      if (entries.length >= MAX_ENTRIES) throw apiError('api.body_too_large', `the context has more than ${MAX_ENTRIES} files`)
      entries.push(readEntry(value))
    } else if (isObject(value) && typeof value['key'] === 'string') key = value['key']
    else throw apiError('api.bad_request', 'the list of a context begins with its key')
  }
  if (key === undefined) throw apiError('api.bad_request', 'the list of a context is empty')
  return { key, entries }
}

const TYPES: readonly unknown[] = ['file', 'directory', 'symlink']

function readEntry(value: unknown): WireContextEntry {
  if (isEntry(value)) return value
  throw apiError('api.bad_request', `${JSON.stringify(value)?.slice(0, 200)} is no entry of a context`)
}

function isEntry(value: unknown): value is WireContextEntry {
  if (!Array.isArray(value) || value.length !== 7) return false
  const [path, type, mode, sizeBytes, mtimeS, signature, linkname] = value as readonly unknown[]
  const isText = [path, signature, linkname].every((part) => typeof part === 'string')
  return isText && TYPES.includes(type) && [mode, sizeBytes, mtimeS].every((part) => Number.isSafeInteger(part))
}

/** What is asked for, as eight bytes of length and JSON, and what comes behind it. Error: `api.bad_request`. */
export async function readWish(
  source: AsyncIterable<Buffer>,
): Promise<{ readonly wish: BuildWish; readonly rest: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]()
  let bytes: Buffer = Buffer.alloc(0)
  const atLeast = async (length: number): Promise<void> => {
    while (bytes.length < length) {
      const next = await iterator.next()
      if (next.done === true) throw apiError('api.bad_request', 'the build ends before it says what is wanted')
      bytes = Buffer.concat([bytes, next.value])
    }
  }
  await atLeast(LENGTH_BYTES)
  const length = Number(bytes.readBigUInt64BE())
  if (length > MAX_WISH_BYTES)
    throw apiError('api.body_too_large', `the options of a build have more than ${MAX_WISH_BYTES} bytes`)
  await atLeast(LENGTH_BYTES + length)
  const wish = readBuildWish(parseStrictJson(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length), 'the options of the build'))
  async function* rest(): AsyncGenerator<Buffer> {
    const left = bytes.subarray(LENGTH_BYTES + length)
    if (left.length > 0) yield left
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  }
  return { wish, rest: rest() }
}
