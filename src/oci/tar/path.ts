import { MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES } from './limits.ts'
import { EMPTY_BYTES, type ByteString } from './bytes.ts'

export type NormalPath = { readonly path: ByteString } | { readonly problem: string }

const SLASH = 0x2f
const DOT = 0x2e

/**
 * Leading slashes, doubled slashes and `.` go away (a layer's names are relative to its root, whatever they begin with);
 * `..` is a problem and not a request.
 */
export function normalizePath(raw: ByteString): NormalPath {
  if (raw.length === 0) return { problem: 'empty name' }
  if (raw.length > MAX_PATH_BYTES) return { problem: `name of ${raw.length} bytes, more than ${MAX_PATH_BYTES}` }
  // Nearly all names are clean but for `./` before and `/` behind.
  const from = raw.startsWith('./') ? 2 : 0
  const to = raw.endsWith('/') ? raw.length - 1 : raw.length
  if (from >= to) return { path: EMPTY_BYTES }
  let isClean = true
  let depth = 0
  let start = from
  for (let at = from; at <= to; at += 1) {
    const code = at === to ? SLASH : raw.charCodeAt(at)
    if (code === 0) return { problem: 'NUL in name' }
    if (code !== SLASH) continue
    const length = at - start
    if (length > MAX_NAME_BYTES) return { problem: `name component of ${length} bytes, more than ${MAX_NAME_BYTES}` }
    if (length <= 2 && isDots(raw, start, length)) {
      if (length === 2) return { problem: '".." in name' }
      isClean = false
    } else depth += 1
    start = at + 1
  }
  if (depth > MAX_DEPTH) return { problem: `name of ${depth} components, more than ${MAX_DEPTH}` }
  if (isClean) return { path: raw.slice(from, to) as ByteString }
  const parts = raw.split('/').filter((part) => part !== '' && part !== '.')
  return { path: parts.join('/') as ByteString }
}

/** True for the empty component, `.` and `..`. */
function isDots(raw: string, start: number, length: number): boolean {
  for (let at = start; at < start + length; at += 1) if (raw.charCodeAt(at) !== DOT) return false
  return true
}
