import { declareErrors, type GloveboxError } from '#base'

import { textOfBytes, type ByteString } from './bytes.ts'

export const tarError = declareErrors({
  'tar.malformed': 'invalid',
  'tar.truncated': 'invalid',
  'tar.ambiguous': 'invalid',
  'tar.unsupported': 'unsupported',
  'tar.limit': 'exhausted',
})

export type TarErrorCode = keyof typeof tarError.codes

/** Names the entry and the offset of its header, so that the reader can look with `dd`. */
export function entryError(code: TarErrorCode, what: string, offset: number, path?: ByteString): GloveboxError {
  const name = path === undefined || path === '' ? 'entry' : `entry ${JSON.stringify(textOfBytes(path).slice(0, 200))}`
  return tarError(code, `tar ${name} at offset ${offset}: ${what}`, { details: { offset } })
}
