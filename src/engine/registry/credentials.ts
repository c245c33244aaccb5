import { registryError } from './errors.ts'
import type { RawCredentials } from './port.ts'

export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for tokens at the realm. */
  | { readonly kind: 'identity'; readonly token: string }
  /** Sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string }

export const NO_CREDENTIALS: Credentials = { kind: 'none' }

/** Header values: visible characters only, so that no value can end its line. */
const HEADER_TOKEN = /^[\x21-\x7e]{1,65536}$/

/**
 * Reads what a client sent for the registry of an image. Credentials that name another registry are refused and never sent: the host must
 * be equal, not alike. Errors: `registry.credentials_invalid`, `registry.credentials_mismatch`.
 */
export function readCredentials(raw: RawCredentials | null, registry: string): Credentials {
  if (raw === null) return NO_CREDENTIALS
  const credentials = kindOf(raw)
  if (credentials.kind === 'none') return credentials
  const named = raw['serveraddress'] ?? ''
  if (named !== '' && registryOfAddress(named) !== registry)
    throw registryError(
      'registry.credentials_mismatch',
      `the credentials are for ${named.slice(0, 100)} and not for ${registry}`,
      {
        hint: 'Send credentials whose serveraddress is the registry of the image, or none.',
      },
    )
  return credentials
}

/** `https://index.docker.io/v1/` and `docker.io` are the same; others are their host and port. Error: `registry.credentials_invalid`. */
export function registryOfAddress(address: string): string {
  const host = /^(?:https?:\/\/)?([^/?#@\s]+)(?:[/?#].*)?$/.exec(address)?.[1]?.toLowerCase()
  if (host === undefined)
    throw registryError('registry.credentials_invalid', `serveraddress ${JSON.stringify(address.slice(0, 100))} is no address`)
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host
}

function kindOf(raw: RawCredentials): Credentials {
  const { registrytoken = '', identitytoken = '' } = raw
  if (registrytoken !== '') return { kind: 'bearer', token: headerToken(registrytoken, 'registrytoken') }
  if (identitytoken !== '') return { kind: 'identity', token: headerToken(identitytoken, 'identitytoken') }
  const [username, password] = passwordOf(raw)
  return username === '' && password === '' ? NO_CREDENTIALS : { kind: 'password', username, password }
}

function passwordOf(raw: RawCredentials): readonly [username: string, password: string] {
  const { username = '', password = '', auth = '' } = raw
  if (username !== '' || password !== '' || auth === '') return [username, password]
  const decoded = Buffer.from(auth, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon < 0) throw registryError('registry.credentials_invalid', 'auth is not base64 of a user name, a colon and a password')
  return [decoded.slice(0, colon), decoded.slice(colon + 1).replace(/\0+$/, '')]
}

function headerToken(token: string, name: string): string {
  if (HEADER_TOKEN.test(token)) return token
  throw registryError('registry.credentials_invalid', `${name} has characters that no token has`)
}

/** RFC 7617; UTF-8. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}

export function isHeaderToken(text: unknown): text is string {
  return typeof text === 'string' && HEADER_TOKEN.test(text)
}
