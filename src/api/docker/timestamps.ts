import { parseDurationMs } from '#base'

import { dockerError } from './errors.ts'

const NS_PER_MS = 1_000_000n

/** A point in time as queries write it: seconds since 1970 with a fraction, RFC 3339, or a Go duration back from now. Empty, `0`: null. Error: `docker.field_invalid`. */
export function readTimestampNs(text: string, name: string, nowNs: bigint): bigint | null {
  if (text === '' || text === '0') return null
  const seconds = /^(-?\d{1,12})(?:\.(\d{1,9}))?$/.exec(text)
  if (seconds !== null) return BigInt(seconds[1] ?? '0') * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'))
  const dateMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(dateMs)) return BigInt(dateMs) * NS_PER_MS
  try {
    return nowNs - BigInt(Math.round(parseDurationMs(text, name))) * NS_PER_MS
  } catch (error) {
    throw dockerError('docker.field_invalid', `${name}: ${JSON.stringify(text)} is not a time`, {
      cause: error,
      hint: 'Give seconds since 1970, an RFC 3339 time, or a duration such as 10m.',
    })
  }
}
