import type { IncomingMessage, ServerResponse } from 'node:http'

import { observeAnswer, type ObserveRequest } from '#api/http'
import { GloveboxError, messageOf, type Clock } from '#base'

import { apiError } from './errors.ts'
import type { GloveboxApiPorts } from './ports.ts'
import type { ApiAnswer, ApiRequest } from './request.ts'
import { answer } from './routes.ts'
import { API_PREFIX, errorStatus } from './statuses.ts'
import { drained, sendFrames } from './send-frames.ts'
import { wireErrorOf } from './wire-error.ts'

export interface GloveboxApi {
  /** False, and nothing touched, when the path is not ours. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

/** A Compose model of thousands of services stays below this. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

/** Who counts requests. */
export interface GloveboxApiObserver {
  readonly clock: Clock
  readonly observe: ObserveRequest
}

export function gloveboxApi(ports: GloveboxApiPorts, observer?: GloveboxApiObserver): GloveboxApi {
  return {
    handle: async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://daemon')
      if (url.pathname !== API_PREFIX && !url.pathname.startsWith(`${API_PREFIX}/`)) return false
      if (observer !== undefined) observeCall(observer, request.method ?? 'GET', url.pathname, response)
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      try {
        await send(response, await answer(ports, requestOf(request, url, gone.signal, ports)))
      } catch (error) {
        refuse(response, error)
      }
      return true
    },
  }
}

/** What is asked of, and none of what stands behind it: those are names. What is none of these is `other`. */
const SUBJECTS: ReadonlySet<string> = new Set([
  ...['stacks', 'images', 'containers', 'processes', 'doctor', 'gc', 'command-line', 'shutdown', 'builds', 'registry'],
  ...['routes', 'policy', 'addresses', 'secrets', 'configs', 'secret-key', 'metrics', 'services', 'jobs', 'why', 'environments'],
])

function observeCall({ clock, observe }: GloveboxApiObserver, method: string, path: string, response: ServerResponse): void {
  const [subject = '', ...rest] = path.slice(API_PREFIX.length + 1).split('/')
  const operation = `${method} ${API_PREFIX}/${SUBJECTS.has(subject) ? subject : 'other'}`
  // Followed for as long as the client likes, or a command that somebody runs.
  const isOutput = subject === 'jobs' && rest[1] === 'output'
  const isTimed = subject !== 'command-line' && !isOutput && !['wait', 'watch', 'follow'].includes(rest.at(-1) ?? '')
  observeAnswer(response, { operation, startedMs: clock.monotonicMs(), clock, isTimed, observe })
}

function requestOf(request: IncomingMessage, url: URL, signal: AbortSignal, { actorOf }: GloveboxApiPorts): ApiRequest {
  const segments = url.pathname
    .slice(API_PREFIX.length)
    .split('/')
    .filter((segment) => segment !== '')
  return {
    method: request.method ?? 'GET',
    segments: segments.map(decodeSegment),
    query: url.searchParams,
    body: () => readBody(request),
    raw: request as AsyncIterable<Buffer>,
    signal,
    connectionFd: descriptorOf(request),
    actor: () => actorOf(request),
  }
}

/** Node tells nobody which descriptor a connection has; undefined should it once keep it elsewhere. */
function descriptorOf({ socket }: IncomingMessage): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: unknown } | null }
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (error) {
    throw apiError('api.bad_request', `the path has a broken escape: ${segment}`, { cause: error })
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw apiError('api.body_too_large', `the body is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch (error) {
    throw apiError('api.bad_request', `the body is not JSON: ${messageOf(error)}`, { cause: error })
  }
}

async function send(response: ServerResponse, result: ApiAnswer): Promise<void> {
  if ('frames' in result) return await sendFrames(response, result.frames)
  if ('text' in result) {
    const text = Buffer.from(result.text)
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': text.length })
    response.end(text)
    return
  }
  if ('json' in result) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(result.json)}\n`, result.afterwards)
    return
  }
  if ('bytes' in result) {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    try {
      for await (const chunk of result.bytes) if (!response.write(chunk)) await drained(response)
      response.end()
    } catch {
      // Bytes have no place for an error: a connection that breaks is no whole file. The build itself tells why.
      response.destroy()
    }
    return
  }
  // The status is decided by the first line: a stack that does not exist is a plain 404.
  const lines = result.lines[Symbol.asyncIterator]()
  const first = await lines.next()
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  for (let next = first; next.done !== true; next = await lines.next()) {
    if (response.destroyed) {
      await lines.return?.()
      return
    }
    if (!response.write(`${JSON.stringify(next.value)}\n`)) await drained(response)
  }
  response.end()
}

function refuse(response: ServerResponse, error: unknown): void {
  const body = wireErrorOf(error)
  if (response.headersSent) {
    // Too late for a status: the reader of the lines takes this one as the end.
    response.end(`${JSON.stringify({ error: body })}\n`)
    return
  }
  response.writeHead(error instanceof GloveboxError ? errorStatus(error.kind) : 500, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body)}\n`)
}
