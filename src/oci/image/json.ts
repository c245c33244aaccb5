import { messageOf } from '#base'

import { imageFormatError } from './errors.ts'

/** Real documents nest six levels; this bounds every walk over one. */
const MAX_JSON_DEPTH = 64

export type JsonObject = { readonly [key: string]: unknown }

/**
 * Reads a document that two programs must understand alike: UTF-8 without byte-order mark, no key twice in one object (parsers
 * differ in which one wins), bounded nesting. Error: `json.invalid`.
 */
export function parseStrictJson(bytes: Uint8Array, what: string): unknown {
  const text = decode(bytes, what)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw imageFormatError('json.invalid', `${what} is not JSON: ${messageOf(error)}`, { cause: error })
  }
  refuseDuplicateKeys(text, what)
  return value
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw imageFormatError('json.invalid', `${what} is not UTF-8`, { cause: error })
  }
}

/** `text` is known to be valid JSON, so it is enough to follow braces and strings. */
function refuseDuplicateKeys(text: string, what: string): void {
  const open: (Set<string> | null)[] = []
  let isKey = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      const keys = open.at(-1)
      if (isKey && keys !== null && keys !== undefined) {
        const key = JSON.parse(text.slice(at, end + 1)) as string
        if (keys.has(key))
          throw imageFormatError('json.invalid', `${what} has the key ${JSON.stringify(key.slice(0, 100))} twice`)
        keys.add(key)
        isKey = false
      }
      at = end
    } else if (character === '{' || character === '[') {
      if (open.length >= MAX_JSON_DEPTH)
        throw imageFormatError('json.invalid', `${what} nests deeper than ${MAX_JSON_DEPTH} levels`)
      open.push(character === '{' ? new Set() : null)
      isKey = character === '{'
    } else if (character === '}' || character === ']') open.pop()
    else if (character === ',') isKey = open.at(-1) instanceof Set
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
