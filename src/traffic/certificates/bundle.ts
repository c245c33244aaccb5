import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'

import { messageOf } from '#base'

import { certificateError } from './errors.ts'

/** A chain and its key, of which nothing is taken over but what they are. */
export interface Bundle {
  /** Chain with the host's certificate first, then the key. */
  readonly pem: string
  readonly fromMs: number
  readonly untilMs: number
}

/** Longer chains are no chains. */
const MAX_CHAIN = 10
const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** Errors: `certificate.invalid` when there is none, or the key is not the first one's. `what` names it in the message. */
export function makeBundle(what: string, chainText: string, keyText: string | KeyObject): Bundle {
  const refuse = (message: string, cause?: unknown) => certificateError('certificate.invalid', `${what}: ${message}`, { cause })
  const blocks = chainText.match(BLOCK) ?? []
  if (blocks.length === 0) throw refuse('there is no certificate in it')
  if (blocks.length > MAX_CHAIN) throw refuse(`a chain of ${blocks.length} certificates`)
  try {
    const chain = blocks.map((block) => new X509Certificate(block))
    const key = typeof keyText === 'string' ? createPrivateKey(keyText) : keyText
    const [first] = chain
    if (first === undefined || !first.checkPrivateKey(key)) throw refuse('the key is not that of the first certificate')
    const text = `${chain.map(String).join('')}${String(key.export({ type: 'pkcs8', format: 'pem' }))}`
    return { pem: text, fromMs: Date.parse(first.validFrom), untilMs: Date.parse(first.validTo) }
  } catch (error) {
    if (error instanceof Error && 'kind' in error) throw error
    throw refuse(`cannot be read: ${messageOf(error)}`, error)
  }
}

/** Of what we wrote ourselves: chain and key in one text. */
export function readBundle(what: string, text: string): Bundle {
  return makeBundle(what, text, text.slice(Math.max(0, text.indexOf('-----BEGIN PRIVATE KEY-----'))))
}

/** After two thirds of its life there is time enough for whatever goes wrong. */
export function renewAtMs({ fromMs, untilMs }: Bundle): number {
  return fromMs + Math.floor(((untilMs - fromMs) * 2) / 3)
}
