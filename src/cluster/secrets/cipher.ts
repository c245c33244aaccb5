import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'

import type { Random } from '#base'

/** A key, and what is made of it: nothing is encrypted with the key itself. */
export interface SecretKey {
  /** Eight bytes that say which key it is, and nothing of it. */
  readonly id: Buffer
  readonly encryption: Buffer
  readonly fingerprint: Buffer
}

export const KEY_BYTES = 32
const ID_BYTES = 8
/** NIST SP 800-38D, section 8.2.2: a random nonce of 96 bits, good for 2^32 encryptions with one key. */
const NONCE_BYTES = 12
const TAG_BYTES = 16
const ALGORITHM = 'aes-256-gcm'

export function secretKey(material: Uint8Array): SecretKey {
  const derive = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', material, '', `glovebox secrets: ${purpose}`, bytes))
  return {
    id: derive('key id', ID_BYTES),
    encryption: derive('encryption', KEY_BYTES),
    fingerprint: derive('fingerprint', KEY_BYTES),
  }
}

/** Key id, nonce, ciphertext, tag. `context` is bound to it: it cannot be moved to where another one is expected. */
export function encrypt(key: SecretKey, value: Uint8Array, context: string, random: Random): Buffer {
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key.encryption, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(context))
  const text = Buffer.concat([cipher.update(value), cipher.final()])
  return Buffer.concat([key.id, nonce, text, cipher.getAuthTag()])
}

/** undefined: it was changed, is of another key, or belongs elsewhere. */
export function decrypt(keys: readonly SecretKey[], payload: Buffer, context: string): Buffer | undefined {
  const key = keys.find(({ id }) => isOfKey(payload, id))
  if (key === undefined || payload.length < ID_BYTES + NONCE_BYTES + TAG_BYTES) return undefined
  const nonce = payload.subarray(ID_BYTES, ID_BYTES + NONCE_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key.encryption, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(payload.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(payload.subarray(ID_BYTES + NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

export function isOfKey(payload: Buffer, id: Buffer): boolean {
  return payload.subarray(0, ID_BYTES).equals(id)
}

/** Without the key nobody can try values until one fits. */
export function secretFingerprint(key: SecretKey, value: Uint8Array): string {
  return createHmac('sha256', key.fingerprint).update(value).digest('hex')
}

export function configFingerprint(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('hex')
}
