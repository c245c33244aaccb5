import type { Agent as HttpAgent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { SecureContext } from 'node:tls'

import { fail, messageOf, systemCodeOf, type Clock, type GloveboxError } from '#base'
import { chunksOf } from '#engine/content'

import { registryError } from './errors.ts'
import { CONNECT_TIMEOUT_MS, IDLE_TIMEOUT_MS } from './limits.ts'

export interface RequestBody {
  readonly sizeBytes: number
  /** From the beginning, each time: a try that failed is made again. */
  open(): AsyncIterable<Uint8Array>
}

export interface WireRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | RequestBody
  readonly signal: AbortSignal
}

export interface WireAnswer {
  readonly status: number
  /** Empty when absent. */
  header(name: string): string
  /** Reads on; ends with `registry.connection_lost` when the connection breaks before the end, `registry.timeout` when nothing comes. */
  body(): AsyncIterable<Buffer>
  /** The whole body. Error: `registry.answer_too_large`. */
  bytes(maxBytes: number): Promise<Buffer>
  /** Closes the connection, unless the body was read. */
  discard(): void
}

/** HTTP to one host, over connections that are kept for the next request until it is disposed of. */
export interface Wire extends Disposable {
  send(request: WireRequest): Promise<WireAnswer>
}

export interface WireTrust {
  /** Undefined: the certificates that the system trusts. */
  readonly context?: SecureContext
  readonly isAnyCertificateFine: boolean
}

type SendRequest = (url: URL, options: RequestOptions) => ClientRequest

/** Redirects and refusals are answers here, not errors. Errors: `registry.unreachable`, `registry.certificate_invalid`, `registry.timeout`, `registry.connection_lost`. */
export function createWire(clock: Clock, trustOf: (host: string) => Promise<WireTrust>): Wire {
  const agents = new Map<string, HttpAgent>()
  return {
    send: async (request) => {
      const { url, signal } = request
      if (signal.aborted) throw cancelled()
      const [send, agent] = await lane(url, agents, trustOf)
      return await exchange(clock, request, (target, options) => send(target, { ...options, agent }))
    },
    [Symbol.dispose]: () => {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

/** The modules are loaded at the first pull or push, and one agent an origin is made. */
async function lane(
  url: URL,
  agents: Map<string, HttpAgent>,
  trustOf: (host: string) => Promise<WireTrust>,
): Promise<readonly [SendRequest, HttpAgent]> {
  const known = agents.get(url.origin)
  if (url.protocol === 'http:') {
    const http = await import('node:http')
    const agent = known ?? new http.Agent({ keepAlive: true })
    agents.set(url.origin, agent)
    return [http.request, agent]
  }
  const https = await import('node:https')
  if (known !== undefined) return [https.request, known]
  const { context, isAnyCertificateFine } = await trustOf(url.host)
  const trust = { ...(context === undefined ? {} : { secureContext: context }), rejectUnauthorized: !isAnyCertificateFine }
  const agent = new https.Agent({ keepAlive: true, ...trust })
  agents.set(url.origin, agent)
  return [https.request, agent]
}

async function exchange(clock: Clock, request: WireRequest, send: SendRequest): Promise<WireAnswer> {
  const { method, url, signal, body } = request
  const watch = idleWatch(clock)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = send(url, { method, headers: { ...request.headers, ...lengthOf(body) }, signal })
  // Broken later, too, when the answer is long here: whoever reads the answer has that error.
  outgoing.on('error', (error) => reject(watch.failure() ?? failureOf(url, error, outgoing)))
  outgoing.on('response', resolve)
  outgoing.on('socket', (socket) => {
    if (socket.connecting) socket.once('connect', () => watch.allow(IDLE_TIMEOUT_MS))
    else watch.allow(IDLE_TIMEOUT_MS)
  })
  watch.start(CONNECT_TIMEOUT_MS, (error) => outgoing.destroy(error), url)
  try {
    // What is read of a stream that the server does not want is not worth an error: its answer says why.
    const sending = sendBody(outgoing, body, watch.moved)
    const response = await Promise.race([promise, sending.then(() => promise)])
    return answerOf(response, outgoing, watch, request)
  } catch (error) {
    watch.stop()
    outgoing.destroy()
    throw signal.aborted ? cancelled(error) : error
  }
}

async function sendBody(outgoing: ClientRequest, body: Buffer | RequestBody | undefined, moved: () => void): Promise<void> {
  if (body === undefined || Buffer.isBuffer(body)) return void outgoing.end(body)
  try {
    for await (const chunk of body.open()) {
      if (outgoing.destroyed || outgoing.writableEnded) return
      moved()
      if (!outgoing.write(chunk)) await drained(outgoing)
    }
    outgoing.end()
  } catch (error) {
    // A file of ours that cannot be read.
    outgoing.destroy()
    throw error
  }
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'error']) outgoing.off(event, done)
      resolve()
    }
    for (const event of ['drain', 'close', 'error']) outgoing.on(event, done)
  })
}

function lengthOf(body: Buffer | RequestBody | undefined): Record<string, string> {
  if (body === undefined) return {}
  return { 'content-length': String(Buffer.isBuffer(body) ? body.length : body.sizeBytes) }
}

function answerOf(
  response: IncomingMessage,
  outgoing: ClientRequest,
  watch: IdleWatch,
  { url, signal }: WireRequest,
): WireAnswer {
  response.on('error', () => undefined)
  async function* body() {
    try {
      for await (const chunk of chunksOf(response)) {
        watch.moved()
        yield chunk
      }
    } catch (error) {
      throw signal.aborted ? cancelled(error) : (watch.failure() ?? lost(url, error))
    } finally {
      watch.stop()
    }
  }
  const discard = () => {
    watch.stop()
    if (!response.complete) outgoing.destroy()
  }
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name.toLowerCase()]
      return typeof value === 'string' ? value : (value?.join(', ') ?? '')
    },
    body,
    bytes: async (maxBytes) => {
      const chunks: Buffer[] = []
      let sizeBytes = 0
      for await (const chunk of body()) {
        sizeBytes += chunk.length
        if (sizeBytes > maxBytes) {
          discard()
          throw registryError('registry.answer_too_large', `${url.origin}${url.pathname} answers more than ${maxBytes} bytes`)
        }
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
    discard,
  }
}

interface IdleWatch {
  start(limitMs: number, end: (error: Error) => void, url: URL): void
  /** From now on, so much time may pass without a sign of life. */
  allow(limitMs: number): void
  moved(): void
  stop(): void
  /** What it ended the connection with. */
  failure(): GloveboxError | undefined
}

/** One timer a request, set anew only when it rings. */
function idleWatch(clock: Clock): IdleWatch {
  let limitMs = 0
  let movedAtMs = clock.monotonicMs()
  let timer: Disposable | undefined
  let failure: GloveboxError | undefined
  const moved = () => {
    movedAtMs = clock.monotonicMs()
  }
  return {
    start: (firstMs, end, url) => {
      limitMs = firstMs
      const look = () => {
        const leftMs = movedAtMs + limitMs - clock.monotonicMs()
        if (leftMs > 0) return void (timer = clock.after(leftMs, look))
        failure = registryError('registry.timeout', `${url.host} has not sent anything for ${Math.round(limitMs / 1000)} s`)
        end(failure)
      }
      timer = clock.after(limitMs, look)
    },
    allow: (nextMs) => {
      limitMs = nextMs
      moved()
    },
    moved,
    stop: () => timer?.[Symbol.dispose](),
    failure: () => failure,
  }
}

const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EPROTO',
])
const CERTIFICATE = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/

function failureOf(url: URL, error: Error, outgoing: ClientRequest): GloveboxError {
  const code = systemCodeOf(error) ?? ''
  const cause = error
  if (CERTIFICATE.test(code))
    return registryError('registry.certificate_invalid', `${url.host}: its certificate is not trusted: ${messageOf(error)}`, {
      cause,
      hint: `Put the certificate of its authority into certs.d/${url.host}/ca.crt below the daemon's root.`,
    })
  // TLS spoken to a server that speaks plain HTTP ends in the middle of the handshake.
  const isHandshake = url.protocol === 'https:' && (code.startsWith('ERR_SSL') || outgoing.socket?.connecting === true)
  if (NO_CONNECTION.has(code) || isHandshake)
    return registryError('registry.unreachable', `${url.origin} cannot be reached: ${messageOf(error) || code}`, { cause })
  return lost(url, error)
}

function lost(url: URL, cause: unknown): GloveboxError {
  return registryError('registry.connection_lost', `the connection to ${url.host} broke: ${messageOf(cause)}`, { cause })
}

function cancelled(cause?: unknown): GloveboxError {
  return fail('operation.cancelled', 'the transfer was cancelled', { cause })
}
