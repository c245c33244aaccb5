import { GloveboxError } from '#base'
import { isObject } from '#oci/image'

import type { Challenge } from './challenge.ts'
import { registryError } from './errors.ts'
import { SHOWN_CHARACTERS } from './limits.ts'

/** What a registry says of a failure (distribution-spec, "Error Codes"). */
export interface Refusal {
  readonly status: number
  /** `MANIFEST_UNKNOWN`; empty when the body says none. */
  readonly code: string
  /** One line, as dockerd shows it: `manifest unknown: manifest unknown`. */
  readonly text: string
}

const DENIED = 'requested access to the resource is denied'

export function readRefusal(status: number, body: Uint8Array, challenges: readonly Challenge[]): Refusal {
  const fromToken = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters.get('error')
  // RFC 6750, section 3.1: the token was good, but not for this.
  if (status < 500 && fromToken === 'insufficient_scope') return refusal(status, 'DENIED', DENIED)
  const first = firstError(body)
  if (first !== undefined) return refusal(status, first.code, first.message)
  if (status === 401) return refusal(status, 'UNAUTHORIZED', 'authentication required')
  if (status === 403) return refusal(status, 'DENIED', DENIED)
  return { status, code: '', text: `status ${status}` }
}

function refusal(status: number, code: string, message: string): Refusal {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return { status, code, text: message === '' ? words : `${words}: ${message}` }
}

function firstError(body: Uint8Array): { readonly code: string; readonly message: string } | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    // Proxies answer in HTML: the status then says all there is.
    return undefined
  }
  const first: unknown = isObject(value) && Array.isArray(value['errors']) ? value['errors'][0] : undefined
  if (!isObject(first) || typeof first['code'] !== 'string') return undefined
  const message = typeof first['message'] === 'string' ? first['message'] : ''
  return { code: first['code'].slice(0, SHOWN_CHARACTERS), message: message.slice(0, SHOWN_CHARACTERS) }
}

/** The error of a request that was refused; `what` names it. */
export function refusalError(said: Refusal, what: string): GloveboxError {
  const { status, code, text } = said
  const details = { status, registryCode: code, said: text }
  if (status === 429 || status >= 500) return registryError('registry.overloaded', `${what}: ${text}`, { details })
  if (code === 'MANIFEST_UNKNOWN') return registryError('registry.manifest_unknown', `${what}: ${text}`, { details })
  if (code === 'NAME_UNKNOWN') return registryError('registry.repository_unknown', `${what}: ${text}`, { details })
  if (code === 'BLOB_UNKNOWN') return registryError('registry.blob_unknown', `${what}: ${text}`, { details })
  if (code === 'DENIED' || status === 403) return registryError('registry.denied', text, { details })
  if (code === 'UNAUTHORIZED' || status === 401) return registryError('registry.unauthorized', text, { details })
  return registryError('registry.refused', `${what}: ${text}`, { details })
}

/** In dockerd's words, which people and programs look for. */
export function pullError(error: unknown, shown: { readonly name: string; readonly text: string }): unknown {
  if (!(error instanceof GloveboxError)) return error
  const { details } = error
  const said = typeof details['said'] === 'string' ? details['said'] : error.message
  if (error.code === 'registry.manifest_unknown')
    return registryError('registry.manifest_unknown', `manifest for ${shown.text} not found: ${said}`, { cause: error, details })
  if (error.code === 'registry.repository_unknown')
    return registryError('registry.repository_unknown', `repository ${shown.name} not found: ${said}`, { cause: error, details })
  if (error.code === 'registry.denied')
    return registryError(
      'registry.pull_denied',
      `pull access denied for ${shown.name}, repository does not exist or may require 'docker login': ${said}`,
      { cause: error, details },
    )
  return error
}
