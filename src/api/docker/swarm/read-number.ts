import { dockerError } from '../errors.ts'
import type { Reader } from '../translate/read.ts'

const NS_PER_MS = 1_000_000

/** Nanoseconds, as Go has durations; null: absent. */
export function millis(from: Reader, name: string): number | null {
  const ns = from.int(name)
  if (ns === null) return null
  if (ns < 0) throw dockerError('docker.field_invalid', `${from.at}.${name}: ${ns} is a time in the past`)
  return Math.ceil(ns / NS_PER_MS)
}

export function decimal(from: Reader, name: string): number | null {
  const value = from.raw(name)
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw dockerError('docker.field_invalid', `${from.at}.${name}: ${JSON.stringify(value).slice(0, 100)} is not a number`)
}

/** Of a count: 0 and absent are the same. */
export function positive(from: Reader, name: string): number | null {
  const value = from.int(name) ?? 0
  if (value < 0) throw dockerError('docker.field_invalid', `${from.at}.${name}: ${value} is less than 0`)
  return value === 0 ? null : value
}
