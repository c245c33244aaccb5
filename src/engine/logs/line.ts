import type { LogEntry } from './port.ts'

/**
 * Reads one line of Docker's json-file format: `{"log":"…","stream":"stdout","attrs":{…},"time":"…"}`, attributes only where there are some.
 * Undefined for what is not a complete line of it (a line cut off by a power loss).
 */
export function parseLogLine(text: string): LogEntry | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('log' in value) || !('stream' in value) || !('time' in value))
      return undefined
    const { log, stream, time } = value
    if (typeof log !== 'string' || typeof time !== 'string' || (stream !== 'stdout' && stream !== 'stderr')) return undefined
    const attributes = 'attrs' in value ? textsOf(value.attrs) : null
    return { stream, time, line: Buffer.from(log), attributes }
  } catch {
    return undefined
  }
}

function textsOf(value: unknown): Readonly<Record<string, string>> | null {
  if (typeof value !== 'object' || value === null) return null
  return Object.fromEntries(Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
}

/** Nanoseconds since 1970 of an RFC 3339 time with up to nine digits of fraction. */
export function timeNs(rfc3339: string): bigint {
  const match = /^(.{19})(?:\.(\d{1,9}))?(.*)$/.exec(rfc3339)
  const seconds = Date.parse(`${match?.[1] ?? ''}${match?.[3] ?? 'Z'}`)
  if (match === null || Number.isNaN(seconds)) return 0n
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'))
}

/** RFC 3339 in UTC with nine digits of fraction, as Docker writes times. */
export function formatTimeNs(ns: bigint): string {
  const ms = ns / 1_000_000n
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0')
  return `${new Date(Number(ms)).toISOString().slice(0, 19)}.${fraction}Z`
}
