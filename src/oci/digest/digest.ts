import { hash } from 'node:crypto'

import type { Digest } from '#base'

import { digestError } from './errors.ts'

/** Lower case only: the specification says so, and two spellings of one digest would be two names of one blob. */
const SHA256 = /^sha256:[0-9a-f]{64}$/
const SHA512 = /^sha512:[0-9a-f]{128}$/

/** So much of a foreign string is repeated in an error message. */
const SHOWN_CHARACTERS = 100

/** A digest that bytes can be checked against; only sha256 also names what is stored. */
export interface VerifiableDigest {
  readonly algorithm: 'sha256' | 'sha512'
  /** Lower case. */
  readonly hex: string
  readonly text: string
}

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && SHA256.test(text)
}

/** Error: `digest.invalid`. `what` names the place for the message. */
export function parseDigest(text: unknown, what = 'digest'): Digest {
  if (isDigest(text)) return text
  throw invalid(text, what, 'A digest is "sha256:" and 64 lower-case hexadecimal digits.')
}

/** Error: `digest.invalid`. */
export function parseVerifiableDigest(text: unknown, what = 'digest'): VerifiableDigest {
  if (typeof text === 'string') {
    if (SHA256.test(text)) return { algorithm: 'sha256', hex: text.slice(7), text }
    if (SHA512.test(text)) return { algorithm: 'sha512', hex: text.slice(7), text }
  }
  throw invalid(text, what, 'A digest is sha256 with 64 or sha512 with 128 lower-case hexadecimal digits.')
}

export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

/** sha256 of bytes that are in memory already. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}` as Digest
}

function invalid(text: unknown, what: string, hint: string) {
  const shown = typeof text === 'string' ? JSON.stringify(text.slice(0, SHOWN_CHARACTERS)) : `a ${typeof text}`
  return digestError('digest.invalid', `${what}: ${shown} is not a digest`, { hint })
}
