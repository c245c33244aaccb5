import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto'

/** The account's key as JWK with its members in the order of RFC 7638, so that its text can be hashed. */
export function publicJwk(key: KeyObject): {
  readonly crv: string
  readonly kty: string
  readonly x: string
  readonly y: string
} {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { crv, kty, x, y }
}

/** RFC 8555, section 8.1: what proves that whoever serves the token has the account's key. */
export function keyAuthorization(token: string, key: KeyObject): string {
  return `${token}.${createHash('sha256')
    .update(JSON.stringify(publicJwk(key)))
    .digest('base64url')}`
}

/** RFC 7515, flattened, with ES256. `payload` null: POST-as-GET. */
export function signJws(head: Readonly<Record<string, unknown>>, payload: unknown, key: KeyObject): string {
  const protectedPart = encode(JSON.stringify({ alg: 'ES256', ...head }))
  const payloadPart = payload === null ? '' : encode(JSON.stringify(payload))
  const signature = sign('sha256', Buffer.from(`${protectedPart}.${payloadPart}`), { key, dsaEncoding: 'ieee-p1363' })
  return JSON.stringify({ protected: protectedPart, payload: payloadPart, signature: signature.toString('base64url') })
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}
