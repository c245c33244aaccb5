import type { Clock, Random } from '#base'

import { parseChallenges, type Challenge } from './challenge.ts'
import { basicHeader, type Credentials } from './credentials.ts'
import type { Endpoint, RegistryOptions } from './endpoints.ts'
import { registryError } from './errors.ts'
import { MAX_AUTH_ROUNDS, MAX_REDIRECTS, MAX_REFUSAL_BYTES, MAX_RETRY_AFTER_MS } from './limits.ts'
import { readRealm } from './realm.ts'
import { followRedirect } from './redirect.ts'
import { readRefusal, refusalError } from './refusal.ts'
import { fetchToken, type Token } from './tokens.ts'
import type { Wire, WireAnswer, WireRequest } from './wire.ts'

export interface SessionNeeds {
  readonly wire: Wire
  readonly clock: Clock
  readonly random: Random
  readonly options: RegistryOptions
  readonly endpoint: Endpoint
  readonly credentials: Credentials
  readonly signal: AbortSignal
}

export interface SessionRequest {
  readonly method: WireRequest['method']
  /** Below the endpoint, or an address that the registry gave (an upload's). */
  readonly path: string | URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: WireRequest['body']
  /** `repository:library/debian:pull`; none for the registry as such. */
  readonly scopes: readonly string[]
  /** Statuses that are answers; all others are errors. */
  readonly expect: readonly number[]
  /** Names the request in messages. */
  readonly what: string
}

/**
 * Requests to one endpoint, signed in as far as it asks for it. Credentials and tokens go to the endpoint's own origin and to no other,
 * except for the exchange of credentials at the realm that it names.
 */
export interface Session {
  readonly endpoint: Endpoint
  /** Aborted by the client's going, or by `stop`. */
  readonly signal: AbortSignal
  /** Ends all that is under way here. */
  stop(): void
  send(request: SessionRequest): Promise<WireAnswer>
  /** Whether anybody answers there, and how to sign in. Errors as of the wire. */
  probe(): Promise<void>
}

export function openSession(needs: SessionNeeds): Session {
  const { endpoint, wire } = needs
  const own = new AbortController()
  const signal = AbortSignal.any([needs.signal, own.signal])
  const signer = createSigner({ ...needs, signal })
  const sendSigned = async (request: SessionRequest): Promise<{ readonly answer: WireAnswer; readonly url: URL }> => {
    const url = readAddress(request.path, endpoint)
    const isOurs = url.origin === endpoint.origin
    for (let round = 0; ; round += 1) {
      const authorization = isOurs ? await signer.header(request.scopes) : undefined
      const answer = await wire.send({
        method: request.method,
        url,
        headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(request.body === undefined ? {} : { body: request.body }),
        signal,
      })
      const isOver = answer.status !== 401 || !isOurs || round >= MAX_AUTH_ROUNDS || request.expect.includes(401)
      if (isOver || !signer.answer(parseChallenges(answer.header('www-authenticate')), request.scopes)) return { answer, url }
      answer.discard()
    }
  }
  return {
    endpoint,
    signal,
    stop: () => own.abort(),
    probe: async () => {
      const answer = await wire.send({ method: 'GET', url: new URL('/v2/', endpoint.origin), headers: {}, signal })
      answer.discard()
      if (answer.status === 401) signer.learn(parseChallenges(answer.header('www-authenticate')))
    },
    send: async (request) => {
      const first = await sendSigned(request)
      let { answer, url } = first
      for (let hops = 0; isRedirect(answer.status) && (request.method === 'GET' || request.method === 'HEAD'); hops += 1) {
        if (hops >= MAX_REDIRECTS)
          throw registryError('registry.redirect_refused', `${request.what}: redirected more than ${MAX_REDIRECTS} times`)
        answer.discard()
        url = followRedirect(url, answer.header('location'), endpoint, needs.options)
        // Signed only for the registry itself; another host has its own way of knowing who may read, in the address.
        const next = { ...request, path: url }
        answer = (await sendSigned(next)).answer
      }
      if (request.expect.includes(answer.status)) return answer
      throw await refused(answer, request.what)
    },
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

function readAddress(path: string | URL, endpoint: Endpoint): URL {
  return typeof path === 'string' ? new URL(path, endpoint.origin) : path
}

async function refused(answer: WireAnswer, what: string) {
  const challenges = parseChallenges(answer.header('www-authenticate'))
  const body = await answer.bytes(MAX_REFUSAL_BYTES).catch(() => Buffer.alloc(0))
  const error = refusalError(readRefusal(answer.status, body, challenges), what)
  const seconds = Number(answer.header('retry-after'))
  if (error.code !== 'registry.overloaded' || !(seconds > 0)) return error
  const retryAfterMs = Math.min(seconds * 1000, MAX_RETRY_AFTER_MS)
  return registryError('registry.overloaded', error.message, { details: { ...error.details, retryAfterMs } })
}

interface Signer {
  header(scopes: readonly string[]): Promise<string | undefined>
  /** Does what the challenge asks for; false when that was done already, or there is nothing to do it with. */
  answer(challenges: readonly Challenge[], scopes: readonly string[]): boolean
  /** Takes note of a challenge without asking for anything yet. */
  learn(challenges: readonly Challenge[]): void
}

type Way = { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string }

function createSigner(needs: SessionNeeds): Signer {
  const { credentials, endpoint, clock, signal } = needs
  const tokens = new Map<string, Promise<Token>>()
  let way: Way | undefined
  const tokenFor = async (chosen: Extract<Way, { kind: 'bearer' }>, scopes: readonly string[]): Promise<string> => {
    if (credentials.kind === 'bearer') return credentials.token
    const key = scopes.join(' ')
    const known = await tokens.get(key)
    if (known !== undefined && known.untilMs > clock.monotonicMs()) return known.text
    const asking = fetchToken(needs, chosen.realm, { service: chosen.service, scopes }, signal)
    tokens.set(key, asking)
    asking.catch(() => tokens.delete(key))
    return (await asking).text
  }
  return {
    header: async (scopes) => {
      if (way === undefined) return undefined
      if (way.kind === 'bearer') return `Bearer ${await tokenFor(way, scopes)}`
      return credentials.kind === 'password' ? basicHeader(credentials.username, credentials.password) : undefined
    },
    learn: (challenges) => {
      way = chooseWay(challenges, endpoint, needs.options)
    },
    answer: (challenges, scopes) => {
      const next = chooseWay(challenges, endpoint, needs.options)
      if (next === undefined) return false
      const isAsBefore = way?.kind === next.kind
      way = next
      if (next.kind === 'basic' && credentials.kind !== 'password')
        throw registryError('registry.unauthorized', `${endpoint.origin}: no basic auth credentials`, {
          hint: `Sign in with \`docker login ${endpoint.host}\`.`,
        })
      // A token may have run out on the way, and another may do; a password or a token of the user's that was refused stays refused.
      if (isAsBefore && (next.kind === 'basic' || credentials.kind === 'bearer')) return false
      tokens.delete(scopes.join(' '))
      return true
    },
  }
}

function chooseWay(challenges: readonly Challenge[], endpoint: Endpoint, options: RegistryOptions): Way | undefined {
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  if (bearer !== undefined) {
    const realm = readRealm(bearer.parameters.get('realm'), endpoint.origin, options)
    return { kind: 'bearer', realm, service: bearer.parameters.get('service') ?? '' }
  }
  if (challenges.some(({ scheme }) => scheme === 'basic')) return { kind: 'basic' }
  const other = challenges[0]
  if (other === undefined) return undefined
  throw registryError(
    'registry.challenge_unsupported',
    `${endpoint.origin} asks for ${other.scheme.slice(0, 100)}, which is not supported; there are bearer and basic`,
  )
}
