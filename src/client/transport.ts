import type { IncomingMessage } from 'node:http'
import { request as httpRequest, type ClientRequest, type RequestOptions } from 'node:http'
import type { Duplex, Readable } from 'node:stream'

import { type ErrorKind, GloveboxError, messageOf, systemCodeOf } from '#base'

import { clientError, kindOfStatus } from './errors.ts'
import { isCertificateTrouble, nameOf, type DaemonPlace } from './place.ts'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'
  readonly path: string
  readonly query?: Query
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is, in chunks. */
  readonly stream?: Readable
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Undefined values are left out; lists repeat the name. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface Upgraded {
  readonly socket: Duplex
  /** What came behind the answer's head: the first bytes of the stream. */
  readonly head: Buffer
}

/** HTTP over the daemon's unix socket, or with TLS. One connection a call: connecting to a unix socket costs less than keeping a pool. */
export interface Transport {
  /** The answer, its status below 400; else the daemon's refusal as an error. The caller reads or destroys it. */
  send(call: Call): Promise<IncomingMessage>
  /** Turns the connection into a byte stream, as attach and exec do. */
  upgrade(call: Call): Promise<Upgraded>
  /** A bare connection. */
  connect(): Promise<Duplex>
}

export function transportTo(place: DaemonPlace): Transport {
  return {
    send: async (call) => {
      const response = await open(place, call, false)
      if ('head' in response) throw clientError('client.bad_answer', `${call.method} ${call.path}: upgraded without being asked`)
      if ((response.statusCode ?? 0) < 400) return response
      throw await refusal(response, call)
    },
    upgrade: async (call) => {
      const response = await open(place, call, true)
      if ('head' in response) return response
      if ((response.statusCode ?? 0) >= 400) throw await refusal(response, call)
      response.destroy()
      throw clientError('client.bad_answer', `${call.method} ${call.path}: the daemon did not switch protocols`)
    },
    connect: () => connectTo(place),
  }
}

/** Only a socket of this machine: what carries a connection further is not carried further itself. */
async function connectTo(place: DaemonPlace): Promise<Duplex> {
  if (typeof place !== 'string')
    throw clientError('client.place_invalid', `${nameOf(place)}: only a socket of this machine can be dialled`)
  const { connect } = await import('node:net')
  const socket = connect({ path: place, allowHalfOpen: true })
  return await new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error) => reject(connectionError(place, { method: 'GET', path: '/' }, error)))
  })
}

type Send = (options: RequestOptions) => ClientRequest

/** TLS is loaded by those who speak it: most commands never do. */
async function sendTo(place: DaemonPlace): Promise<Send> {
  if (typeof place === 'string') return (options) => httpRequest({ ...options, socketPath: place })
  if ('address' in place) {
    const { sshStream } = await import('./ssh-stream.ts')
    return (options) => httpRequest({ ...options, createConnection: () => sshStream(place) })
  }
  const { request } = await import('node:https')
  const { host, port, ca, cert, key } = place
  return (options) => request({ ...options, host, port, ca, cert, key, agent: false })
}

async function open(place: DaemonPlace, call: Call, isUpgrade: boolean): Promise<IncomingMessage | Upgraded> {
  const body = call.json === undefined ? undefined : Buffer.from(JSON.stringify(call.json))
  const send = await sendTo(place)
  return await new Promise((resolve, reject) => {
    const request = send({
      method: call.method,
      path: call.path + queryText(call.query),
      headers: headersOf(call, body, isUpgrade),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    })
    request.on('response', resolve)
    request.on('upgrade', (_response, socket, head) => resolve({ socket, head }))
    request.on('error', (error) => reject(connectionError(place, call, error)))
    if (call.stream === undefined) return void request.end(body)
    call.stream.on('error', (error) => {
      reject(error)
      request.destroy()
    })
    call.stream.pipe(request)
  })
}

function headersOf(call: Call, body: Buffer | undefined, isUpgrade: boolean): Record<string, string | number> {
  return {
    ...call.headers,
    host: 'daemon',
    // Stands in the history of what is changed.
    'glovebox-from': 'cli',
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
    ...(body === undefined && call.stream === undefined && call.method === 'POST' ? { 'content-length': 0 } : {}),
    ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
    ...(isUpgrade ? { connection: 'Upgrade', upgrade: 'tcp' } : { connection: 'close' }),
  }
}

function queryText(query: Query = {}): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const item of Array.isArray(value) ? value : [value]) words.append(name, String(item))
  }
  return words.size === 0 ? '' : `?${words.toString()}`
}

function connectionError(place: DaemonPlace, call: Call, error: Error): GloveboxError {
  if (error instanceof GloveboxError) return error
  const code = systemCodeOf(error)
  const socketPath = nameOf(place)
  if (isCertificateTrouble(code))
    return clientError('client.certificate_refused', `the daemon at ${socketPath}: ${messageOf(error)}`, {
      cause: error,
      hint: 'ca.pem in DOCKER_CERT_PATH must have signed the certificate of the daemon, and that must name its address.',
    })
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return clientError('client.unreachable', `no daemon answers at ${socketPath}`, {
      cause: error,
      hint: 'Start one with `glovebox daemon start`, or name another socket with --socket.',
    })
  if (code === 'EACCES')
    return clientError('client.denied', `no permission to use ${socketPath}`, { cause: error, hint: 'Run it as root.' })
  if (code === 'ABORT_ERR') return new GloveboxError('operation.cancelled', 'cancelled', 'cancelled', { cause: error })
  return clientError('client.connection_lost', `${call.method} ${call.path}: ${messageOf(error)}`, { cause: error })
}

/** A refusal longer than this is not a message for people. */
const MAX_REFUSAL_BYTES = 64 * 1024

async function refusal(response: IncomingMessage, call: Call): Promise<GloveboxError> {
  const text = await readText(response, MAX_REFUSAL_BYTES)
  const status = response.statusCode ?? 0
  const said = parseRefusal(text)
  const kind = said.kind ?? kindOfStatus(status)
  return new GloveboxError(said.code ?? `daemon.${kind}`, kind, said.message ?? `${call.method} ${call.path}: status ${status}`, {
    details: { status },
    ...(said.hint === undefined ? {} : { hint: said.hint }),
  })
}

interface Said {
  readonly message?: string
  readonly code?: string
  readonly kind?: ErrorKind
  readonly hint?: string
}

function parseRefusal(text: string): Said {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return {}
    const words = Object.entries(value).filter(
      ([key, word]) => ['message', 'code', 'kind', 'hint'].includes(key) && typeof word === 'string',
    )
    return Object.fromEntries(words) as Said
  } catch {
    return text.trim() === '' ? {} : { message: text.trim() }
  }
}

/** Reads a whole answer; what goes over `maxBytes` is an error. */
export async function readText(response: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw clientError('client.bad_answer', `the daemon's answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
