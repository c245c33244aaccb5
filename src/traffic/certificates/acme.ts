import { createPrivateKey, type KeyObject } from 'node:crypto'

import type { Clock } from '#base'

import type { AcmeAnswer, AcmeTransport } from './acme-http.ts'
import { newKey } from './authority.ts'
import { makeBundle, type Bundle } from './bundle.ts'
import { certificateError } from './errors.ts'
import type { KeyFiles } from './files.ts'
import { keyAuthorization, publicJwk, signJws } from './jws.ts'
import { makeRequest } from './x509.ts'

export interface AcmeNeeds {
  readonly transport: AcmeTransport
  readonly files: KeyFiles
  readonly clock: Clock
  /** Answers for the token until it is told null. Resolves once it does. */
  readonly publish: (token: string, text: string | null) => Promise<void>
}

export interface AcmeOrder {
  readonly directoryUrl: string
  readonly email: string | null
  readonly hosts: readonly string[]
  /** File of the account's key, one for each server. */
  readonly accountFile: string
}

/** A server that does not come to an end in this time is asked again later. */
const PATIENCE_MS = 120_000
const FIRST_POLL_MS = 250
const MAX_POLL_MS = 10_000
/** RFC 8555, section 6.5: a nonce that is too old is answered with a new one. */
const MAX_NONCES = 4

/** Gets a certificate from an ACME server with http-01. RFC 8555. Errors: `certificate.acme_refused`, `certificate.acme_unavailable`, `certificate.invalid`. */
export async function orderCertificate(wish: AcmeOrder, needs: AcmeNeeds): Promise<Bundle> {
  const session = await openSession(wish, needs)
  const order = await session.post(session.directory.newOrder, {
    identifiers: wish.hosts.map((value) => ({ type: 'dns', value })),
  })
  const orderUrl = order.header('location') ?? ''
  const { authorizations, finalize } = readOrder(order)
  for (const url of authorizations) await prove(session, url, needs)
  const key = newKey()
  await session.post(finalize, { csr: makeRequest(wish.hosts, key).toString('base64url') })
  const done = await session.poll(orderUrl, ['valid'])
  const chain = await session.post(text(done, 'certificate'), null)
  return makeBundle(`the answer of ${wish.directoryUrl}`, chain.body, key)
}

interface Session {
  readonly directory: { readonly newNonce: string; readonly newAccount: string; readonly newOrder: string }
  readonly key: KeyObject
  /** With the account's key. `payload` null: POST-as-GET. */
  post(url: string, payload: unknown): Promise<AcmeAnswer>
  /** Until its status is one of these; another end is an error. */
  poll(url: string, wanted: readonly string[]): Promise<Fields>
}

type Fields = Readonly<Record<string, unknown>>

async function openSession(wish: AcmeOrder, { transport, files, clock }: AcmeNeeds): Promise<Session> {
  const listed = fields(await transport.send('GET', wish.directoryUrl))
  const directory = {
    newNonce: text(listed, 'newNonce'),
    newAccount: text(listed, 'newAccount'),
    newOrder: text(listed, 'newOrder'),
  }
  const key = await accountKey(files, wish.accountFile)
  let nonce: string | undefined
  let account: string | undefined
  const post = async (url: string, payload: unknown): Promise<AcmeAnswer> => {
    for (let attempt = 1; ; attempt += 1) {
      nonce ??= (await transport.send('HEAD', directory.newNonce)).header('replay-nonce')
      const identity = account === undefined ? { jwk: publicJwk(key) } : { kid: account }
      const answer = await transport.send('POST', url, signJws({ ...identity, nonce: nonce ?? '', url }, payload, key))
      nonce = answer.header('replay-nonce')
      if (answer.status < 400) return answer
      const problem = problemOf(answer)
      if (problem.type !== 'urn:ietf:params:acme:error:badNonce' || attempt >= MAX_NONCES) throw refusal(answer, problem)
    }
  }
  const contact = wish.email === null ? {} : { contact: [`mailto:${wish.email}`] }
  const made = await post(directory.newAccount, { termsOfServiceAgreed: true, ...contact })
  account = made.header('location') ?? ''
  return {
    directory,
    key,
    post,
    poll: async (url, wanted) => {
      const deadlineMs = clock.monotonicMs() + PATIENCE_MS
      for (let waitMs = FIRST_POLL_MS; ; waitMs = Math.min(MAX_POLL_MS, waitMs * 2)) {
        const answer = await post(url, null)
        const seen = fields(answer)
        const status = text(seen, 'status')
        if (wanted.includes(status)) return seen
        if (status === 'invalid') throw certificateError('certificate.acme_refused', `the ACME server says no: ${reasonOf(seen)}`)
        if (clock.monotonicMs() >= deadlineMs) {
          throw certificateError(
            'certificate.acme_unavailable',
            `the ACME server is still at ${JSON.stringify(status)} after ${PATIENCE_MS} ms`,
          )
        }
        await clock.sleep(Math.max(waitMs, retryAfterMs(answer)))
      }
    },
  }
}

async function prove(session: Session, url: string, { publish }: AcmeNeeds): Promise<void> {
  const authorization = fields(await session.post(url, null))
  if (authorization['status'] === 'valid') return
  const offered = Array.isArray(authorization['challenges']) ? (authorization['challenges'] as readonly Fields[]) : []
  const challenge = offered.find((candidate) => candidate['type'] === 'http-01')
  if (challenge === undefined) throw certificateError('certificate.acme_refused', 'the ACME server does not offer http-01')
  const token = text(challenge, 'token')
  // It becomes part of an address.
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(token))
    throw certificateError('certificate.acme_unavailable', 'the token of the ACME server is none')
  await publish(token, keyAuthorization(token, session.key))
  try {
    await session.post(text(challenge, 'url'), {})
    await session.poll(url, ['valid'])
  } finally {
    await publish(token, null)
  }
}

async function accountKey(files: KeyFiles, name: string): Promise<KeyObject> {
  const known = files.read(name)
  if (known !== undefined) return createPrivateKey(known)
  const key = newKey()
  await files.write(name, String(key.export({ type: 'pkcs8', format: 'pem' })))
  return key
}

function readOrder(answer: AcmeAnswer): { readonly authorizations: readonly string[]; readonly finalize: string } {
  const seen = fields(answer)
  const authorizations = Array.isArray(seen['authorizations']) ? seen['authorizations'].map(String) : []
  return { authorizations, finalize: text(seen, 'finalize') }
}

function fields(answer: AcmeAnswer): Fields {
  try {
    const value: unknown = JSON.parse(answer.body)
    if (answer.status < 400 && typeof value === 'object' && value !== null) return value as Fields
  } catch {
    // Said below.
  }
  throw certificateError(
    'certificate.acme_unavailable',
    `the ACME server answers ${answer.status} with ${JSON.stringify(answer.body.slice(0, 200))}`,
  )
}

function text(seen: Fields, field: string): string {
  const value = seen[field]
  if (typeof value === 'string') return value
  throw certificateError('certificate.acme_unavailable', `the ACME server's answer has no ${field}`)
}

interface Problem {
  readonly type: string
  readonly detail: string
}

/** RFC 7807. */
function problemOf(answer: AcmeAnswer): Problem {
  try {
    const value = JSON.parse(answer.body) as Fields
    return { type: String(value['type']), detail: String(value['detail']) }
  } catch {
    return { type: '', detail: answer.body.slice(0, 200) }
  }
}

function refusal({ status }: AcmeAnswer, { type, detail }: Problem) {
  const kind = type.split(':').at(-1) ?? ''
  return certificateError(
    status === 429 || status >= 500 ? 'certificate.acme_unavailable' : 'certificate.acme_refused',
    `the ACME server answers ${status}${kind === '' ? '' : ` (${kind})`}: ${detail}`,
  )
}

/** The reason is in the challenge that failed, or in the order. */
function reasonOf(seen: Fields): string {
  const challenges = Array.isArray(seen['challenges']) ? (seen['challenges'] as readonly Fields[]) : []
  const errors = [seen['error'], ...challenges.map((challenge) => challenge['error'])] as readonly (Fields | undefined)[]
  const found = errors.find((error) => error !== undefined)
  return found === undefined ? 'without a reason' : String(found['detail'])
}

function retryAfterMs(answer: AcmeAnswer): number {
  const seconds = Number(answer.header('retry-after') ?? 0)
  return Number.isFinite(seconds) ? Math.min(MAX_POLL_MS, Math.max(0, seconds * 1000)) : 0
}
