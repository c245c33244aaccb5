import type { Clock } from '#base'
import { isObject, parseStrictJson } from '#oci/image'

import { basicHeader, isHeaderToken, type Credentials } from './credentials.ts'
import { registryError } from './errors.ts'
import { MAX_REFUSAL_BYTES, MAX_TOKEN_BYTES, MAX_TOKEN_LIFE_MS, MIN_TOKEN_LIFE_MS } from './limits.ts'
import { readRefusal } from './refusal.ts'
import type { Wire } from './wire.ts'

export interface Token {
  readonly text: string
  /** By the clock's monotonic time. */
  readonly untilMs: number
}

export interface TokenNeeds {
  readonly wire: Wire
  readonly clock: Clock
  readonly credentials: Credentials
}

/** How registries know us (OAuth 2, section 2.3). */
const CLIENT_ID = 'glovebox'

/**
 * Asks a realm for a token (distribution, "Token Authentication"): with the user's password, with the identity token, or for nobody.
 * Redirects are not followed: credentials stay where the registry sent them. Errors: `registry.unauthorized`, `registry.answer_invalid`.
 */
export async function fetchToken(
  needs: TokenNeeds,
  realm: URL,
  asked: { readonly service: string; readonly scopes: readonly string[] },
  signal: AbortSignal,
): Promise<Token> {
  const { wire, credentials } = needs
  const answer = await wire.send({ ...tokenRequest(realm, asked, credentials), signal })
  if (answer.status !== 200) {
    const said = readRefusal(answer.status, await answer.bytes(MAX_REFUSAL_BYTES), [])
    const code = answer.status >= 500 || answer.status === 429 ? 'registry.overloaded' : 'registry.unauthorized'
    throw registryError(code, `${realm.origin} gives no token: ${said.text}`, {
      details: { status: answer.status, said: said.text },
      ...(code === 'registry.unauthorized' ? { hint: 'Sign in with `docker login`, or check user name and password.' } : {}),
    })
  }
  return readToken(await answer.bytes(MAX_TOKEN_BYTES), realm, needs.clock)
}

function tokenRequest(
  realm: URL,
  asked: { readonly service: string; readonly scopes: readonly string[] },
  credentials: Credentials,
) {
  const { service, scopes } = asked
  if (credentials.kind === 'identity') {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, service, scope: scopes.join(' ') })
    form.set('refresh_token', credentials.token)
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    return { method: 'POST' as const, url: realm, headers, body: Buffer.from(form.toString()) }
  }
  const url = new URL(realm)
  if (service !== '') url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (credentials.kind === 'password') {
    url.searchParams.set('account', credentials.username)
    headers['authorization'] = basicHeader(credentials.username, credentials.password)
  }
  return { method: 'GET' as const, url, headers }
}

function readToken(bytes: Uint8Array, realm: URL, clock: Clock): Token {
  const value = parseStrictJson(bytes, `the token of ${realm.origin}`)
  const fields = isObject(value) ? value : {}
  const text = fields['token'] ?? fields['access_token']
  if (!isHeaderToken(text)) throw registryError('registry.answer_invalid', `${realm.origin} answers without a token`)
  const { expires_in: seconds } = fields
  const askedMs = typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : MIN_TOKEN_LIFE_MS
  const lifeMs = Math.min(MAX_TOKEN_LIFE_MS, Math.max(MIN_TOKEN_LIFE_MS, askedMs))
  // Gone a little earlier here than there.
  return { text, untilMs: clock.monotonicMs() + lifeMs - MIN_TOKEN_LIFE_MS / 4 }
}
