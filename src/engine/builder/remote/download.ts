import { createHash } from 'node:crypto'
import type { IncomingMessage, RequestOptions } from 'node:http'

import { fail, GloveboxError, messageOf, type Clock } from '#base'

import { buildError } from '../errors.ts'
import type { Spool } from '../spool.ts'
import { authorizationFor } from './authorization.ts'
import { FETCH_TIMEOUT_MS, IDLE_TIMEOUT_MS, MAX_REDIRECTS, MAX_REMOTE_BYTES } from './limits.ts'
import type { Downloaded, FetchOptions, HttpSource, Validators } from './port.ts'
import { addressOf } from './resolve-host.ts'

/**
 * Fetches a file. Redirects are followed, from HTTPS never to plain HTTP; each host is looked up, checked, and then asked at the address
 * that was checked. What a secret authorises is told to the host that it names alone. Errors: `build.remote_*`, `build.checksum_mismatch`.
 */
export async function download(
  clock: Clock,
  source: HttpSource,
  options: FetchOptions,
  into: Spool,
  known: Validators | undefined,
): Promise<Downloaded | undefined> {
  const stop = new AbortController()
  using _limit = clock.after(FETCH_TIMEOUT_MS, () => stop.abort(timedOut(source.url, FETCH_TIMEOUT_MS)))
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  try {
    const answer = await follow(clock, source, options, signal, known)
    if (answer === undefined) return undefined
    const taken = await take(clock, source.url, answer, into)
    if (source.sha256 !== undefined && taken.sha256 !== source.sha256)
      throw buildError('build.checksum_mismatch', `${source.url} is sha256:${taken.sha256}, not sha256:${source.sha256}`, {
        hint: 'Find out why it changed before you change the checksum.',
      })
    return taken
  } catch (error) {
    throw asFetchError(source.url, error, stop.signal, options.signal)
  }
}

async function follow(
  clock: Clock,
  source: HttpSource,
  options: FetchOptions,
  signal: AbortSignal,
  known: Validators | undefined,
): Promise<IncomingMessage | undefined> {
  let url = new URL(source.url)
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const answer = await ask(clock, url, options, signal, known)
    const status = answer.statusCode ?? 0
    if (status === 200) return answer
    answer.destroy()
    if (status === 304 && known !== undefined) return undefined
    if (![301, 302, 303, 307, 308].includes(status))
      throw buildError('build.remote_failed', `${url.href} answers with the status ${status}`, hintFor(status, url))
    url = nextHop(url, answer.headers.location)
  }
  throw buildError('build.remote_failed', `${source.url} leads on more than ${MAX_REDIRECTS} times`)
}

function hintFor(status: number, url: URL): { readonly hint?: string } {
  if (status !== 401 && status !== 403) return {}
  return {
    hint: `Give what the host wants as a secret with the id HTTP_AUTH_TOKEN_${url.hostname} or HTTP_AUTH_HEADER_${url.hostname}.`,
  }
}

function nextHop(from: URL, location: string | undefined): URL {
  const url = location === undefined ? null : URL.parse(location, from.href)
  const refuse = (why: string) =>
    buildError('build.remote_refused', `${from.href} leads to ${JSON.stringify((location ?? '').slice(0, 200))}: ${why}`)
  if (url !== null && url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse('only http and https are followed')
  if (url === null || url.hostname === '') throw refuse('that is no address')
  if (from.protocol === 'https:' && url.protocol === 'http:') throw refuse('it goes from HTTPS to plain HTTP')
  if (url.username !== '' || url.password !== '') throw refuse('it carries a user of its own')
  return url
}

async function ask(
  clock: Clock,
  url: URL,
  { isHostNetworkAllowed, secrets }: FetchOptions,
  signal: AbortSignal,
  known: Validators | undefined,
): Promise<IncomingMessage> {
  const { address, family } = await addressOf(url.hostname, isHostNetworkAllowed)
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const headers = {
    'user-agent': 'glovebox',
    'accept-encoding': 'identity',
    ...conditions(known),
    ...authorizationFor(url, secrets),
  }
  const lookup: RequestOptions['lookup'] = (_hostname, { all }, done) => {
    if (all === true) done(null, [{ address, family }])
    else done(null, address, family)
  }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = request(url, { headers, signal, lookup, agent: false }, resolve)
  outgoing.on('error', reject)
  outgoing.end()
  using _limit = clock.after(IDLE_TIMEOUT_MS, () => outgoing.destroy(timedOut(url.href, IDLE_TIMEOUT_MS)))
  return await promise
}

function conditions(known: Validators | undefined): Record<string, string> {
  if (known === undefined) return {}
  if (known.etag !== '') return { 'if-none-match': known.etag }
  return known.lastModified === '' ? {} : { 'if-modified-since': known.lastModified }
}

async function take(clock: Clock, url: string, answer: IncomingMessage, into: Spool): Promise<Downloaded> {
  const digest = createHash('sha256')
  const promised = answer.headers['content-length']
  const tooLarge = () => buildError('build.context_too_large', `${url} has more than ${MAX_REMOTE_BYTES} bytes`)
  if (Number(promised) > MAX_REMOTE_BYTES) throw tooLarge()
  const watch = () => clock.after(IDLE_TIMEOUT_MS, () => answer.destroy(timedOut(url, IDLE_TIMEOUT_MS)))
  let idle = watch()
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      idle[Symbol.dispose]()
      idle = watch()
      if (into.sizeBytes + chunk.length > MAX_REMOTE_BYTES) throw tooLarge()
      digest.update(chunk)
      await into.append(chunk)
    }
  } finally {
    idle[Symbol.dispose]()
  }
  if (promised !== undefined && Number(promised) !== into.sizeBytes)
    throw buildError('build.remote_failed', `${url} ends after ${into.sizeBytes} bytes of ${promised}`)
  const { etag = '', 'last-modified': lastModified = '' } = answer.headers
  const seconds = Math.floor(Date.parse(lastModified) / 1000)
  return { sha256: digest.digest('hex'), sizeBytes: into.sizeBytes, etag, lastModified, mtimeS: seconds > 0 ? seconds : 0 }
}

function timedOut(url: string, ms: number): GloveboxError {
  return buildError('build.remote_failed', `${url} does not answer for ${ms / 1000} s`)
}

function asFetchError(url: string, error: unknown, limit: AbortSignal, wanted: AbortSignal | undefined): GloveboxError {
  if (wanted?.aborted === true) return fail('operation.cancelled', 'the download was cancelled', { cause: error })
  const cause: unknown = limit.aborted ? limit.reason : error
  if (cause instanceof GloveboxError) return cause
  return buildError('build.remote_failed', `${url} cannot be fetched: ${messageOf(cause)}`, { cause })
}
