import { createHash } from 'node:crypto'

import type { Digest } from '#base'

import { parseVerifiableDigest, type VerifiableDigest } from './digest.ts'
import { digestError } from './errors.ts'

export interface Digester {
  update(chunk: Uint8Array): void
  /** How many bytes went in. */
  readonly sizeBytes: number
  /** Ends it. */
  digest(): Digest
}

export function digester(): Digester {
  const sha256 = createHash('sha256')
  let sizeBytes = 0
  return {
    update: (chunk) => {
      sha256.update(chunk)
      sizeBytes += chunk.length
    },
    get sizeBytes() {
      return sizeBytes
    },
    digest: () => `sha256:${sha256.digest('hex')}` as Digest,
  }
}

/** What the bytes must be. Absent parts are not checked. */
export interface ExpectedBytes {
  readonly digest?: VerifiableDigest | Digest | undefined
  readonly sizeBytes?: number | undefined
}

export interface Verifier {
  /** Error: `digest.size_mismatch` as soon as there are more bytes than promised, so that a liar cannot fill the disk. */
  update(chunk: Uint8Array): void
  /** Ends it and gives the sha256, whatever algorithm was promised. Errors: `digest.mismatch`, `digest.size_mismatch`. */
  finish(): { readonly digest: Digest; readonly sizeBytes: number }
}

/** Checks bytes against what was promised of them. `what` names them in messages. */
export function verifier(expected: ExpectedBytes, what: string): Verifier {
  const promised = typeof expected.digest === 'string' ? parseVerifiableDigest(expected.digest, what) : expected.digest
  const stored = digester()
  const other = promised?.algorithm === 'sha512' ? createHash('sha512') : undefined
  return {
    update: (chunk) => {
      stored.update(chunk)
      other?.update(chunk)
      if (expected.sizeBytes !== undefined && stored.sizeBytes > expected.sizeBytes)
        throw digestError('digest.size_mismatch', `${what} is longer than the ${expected.sizeBytes} bytes promised`)
    },
    finish: () => {
      const { sizeBytes } = stored
      if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes)
        throw digestError('digest.size_mismatch', `${what} has ${sizeBytes} bytes and not the ${expected.sizeBytes} promised`)
      const digest = stored.digest()
      const found = other === undefined ? digest : `sha512:${other.digest('hex')}`
      if (promised !== undefined && found !== promised.text)
        throw digestError('digest.mismatch', `${what} has the digest ${found} and not the promised ${promised.text}`)
      return { digest, sizeBytes }
    },
  }
}

/** Passes bytes on and fails at the end when they were not what was promised: whoever reads must not trust them before that. */
export async function* verifying(
  source: AsyncIterable<Uint8Array>,
  expected: ExpectedBytes,
  what: string,
): AsyncGenerator<Uint8Array> {
  const check = verifier(expected, what)
  for await (const chunk of source) {
    check.update(chunk)
    yield chunk
  }
  check.finish()
}
