import { createHash } from 'node:crypto'

import type { Digest } from '#base'

import { parseVerifiableDigest, type VerifiableDigest } from './digest.ts'
import { digestError } from './errors.ts'

interface Digester {
  update(chunk: Uint8Array): void
  /** How many bytes went in. */
  readonly sizeBytes: number
  /** Ends it. */
  digest(): Digest
}

function digester(): Digester {
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
  /** Every one of them must hold. */
  readonly digests?: readonly (VerifiableDigest | Digest)[]
  readonly sizeBytes?: number | undefined
}

export interface Verifier {
  /** Error: `digest.size_mismatch` as soon as there are more bytes than promised, so that a liar cannot fill the disk. */
  update(chunk: Uint8Array): void
  readonly sizeBytes: number
  /** Ends it and gives the sha256, whatever algorithm was promised. Errors: `digest.mismatch`, `digest.size_mismatch`. */
  finish(): { readonly digest: Digest; readonly sizeBytes: number }
}

/** Checks bytes against what was promised of them. `what` names them in messages. */
export function verifier(expected: ExpectedBytes, what: string): Verifier {
  const promised = (expected.digests ?? []).map((one) => (typeof one === 'string' ? parseVerifiableDigest(one, what) : one))
  const stored = digester()
  const sha512 = promised.some(({ algorithm }) => algorithm === 'sha512') ? createHash('sha512') : undefined
  return {
    update: (chunk) => {
      stored.update(chunk)
      sha512?.update(chunk)
      if (expected.sizeBytes !== undefined && stored.sizeBytes > expected.sizeBytes)
        throw digestError('digest.size_mismatch', `${what} is longer than the ${expected.sizeBytes} bytes promised`)
    },
    get sizeBytes() {
      return stored.sizeBytes
    },
    finish: () => {
      const { sizeBytes } = stored
      if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes)
        throw digestError('digest.size_mismatch', `${what} has ${sizeBytes} bytes and not the ${expected.sizeBytes} promised`)
      const digest = stored.digest()
      const found = { sha256: digest, sha512: sha512 === undefined ? '' : `sha512:${sha512.digest('hex')}` }
      for (const { algorithm, text } of promised)
        if (found[algorithm] !== text)
          throw digestError('digest.mismatch', `${what} has the digest ${found[algorithm]} and not the promised ${text}`)
      return { digest, sizeBytes }
    },
  }
}
