import { registryApiError } from './errors.ts'

export interface ByteRange {
  readonly startByte: number
  /** One after the last. */
  readonly endByte: number
}

/**
 * `Range` of a read (RFC 9110, section 14.2): one range of bytes. Undefined for anything else that is well-formed, which then gets the whole.
 * Error: `registry_api.range_invalid` when nothing of it lies within `sizeBytes`.
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  const startByte = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const endByte = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  if (startByte < sizeBytes && (first !== '' || Number(last) > 0)) return { startByte, endByte }
  throw registryApiError('registry_api.range_invalid', `the range ${header} is outside of ${sizeBytes} bytes`, {
    details: { sizeBytes },
  })
}

/** `Content-Range: 0-1023` of a chunk (distribution-spec, "Pushing a blob in chunks"). */
export function readChunkRange(
  header: string | undefined,
): { readonly startByte: number; readonly sizeBytes: number } | undefined {
  if (header === undefined) return undefined
  const [, first, last] = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/[\d*]+)?$/.exec(header) ?? []
  if (first !== undefined && last !== undefined && Number(last) >= Number(first))
    return { startByte: Number(first), sizeBytes: Number(last) - Number(first) + 1 }
  throw registryApiError('registry_api.range_invalid', `Content-Range: ${JSON.stringify(header.slice(0, 100))} is not FIRST-LAST`)
}
