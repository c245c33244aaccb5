import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { messageOf, type Log } from '#base'
import type { HttpApi } from '#api/http'
import { CONTENT_TYPES, formatFor, writeText, type MetricFamily } from '#observe/metrics'

/** What there is to be read. */
export interface MetricsTexts {
  /** Of this machine and what runs on it. */
  own(): Promise<readonly MetricFamily[]>
  /** What programs in containers say of themselves. `timeoutMs`: who asks does not wait longer. */
  services(timeoutMs: number): Promise<readonly MetricFamily[]>
}

export interface MetricsApi extends HttpApi {
  /** Whether the request is for here. */
  isFor(url: string): boolean
}

const OWN = '/metrics'
const SERVICES = '/metrics/services'
/** Prometheus says how long it waits; others wait so long. */
const DEFAULT_TIMEOUT_MS = 10_000
const LONGEST_TIMEOUT_MS = 60_000
/** Of its time, what is left to carry the answer. */
const SHARE_OF_TIMEOUT = 0.8

const pack = promisify(gzip)

export function metricsApi(texts: MetricsTexts, log: Log): MetricsApi {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = pathOf(request.url ?? '/')
    const { method = 'GET' } = request
    if (path !== OWN && path !== SERVICES)
      return say(response, 404, `Metrics are at ${OWN}, and those of services at ${SERVICES}.\n`)
    if (method !== 'GET' && method !== 'HEAD') return say(response, 405, 'Metrics are only read.\n')
    try {
      const families = path === OWN ? await texts.own() : await texts.services(timeoutOf(request))
      await send(request, response, families)
    } catch (error) {
      log.warn('metrics could not be told', { path, error: messageOf(error) })
      if (response.headersSent) response.destroy()
      else say(response, 500, `${messageOf(error)}\n`)
    }
  }
  return {
    isFor: (url) => [OWN, SERVICES].includes(pathOf(url)),
    handleRequest: (request, response) => void answer(request, response),
    handleUpgrade: (_request, socket) => void socket.destroy(),
    wantsUpgrade: () => false,
  }
}

function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return mark === -1 ? url : url.slice(0, mark)
}

async function send(request: IncomingMessage, response: ServerResponse, families: readonly MetricFamily[]): Promise<void> {
  const format = formatFor(request.headers.accept)
  const text = Buffer.from(writeText(families, format))
  const isPacked = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  // The fastest level: a scrape is read on the same network, often on the same machine.
  const body = isPacked ? await pack(text, { level: 1 }) : text
  response.writeHead(200, {
    'content-type': CONTENT_TYPES[format],
    'content-length': body.length,
    ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function timeoutOf({ headers }: IncomingMessage): number {
  const seconds = Number(headers['x-prometheus-scrape-timeout-seconds'])
  const wantedMs = seconds > 0 ? seconds * 1000 : DEFAULT_TIMEOUT_MS
  return Math.min(LONGEST_TIMEOUT_MS, wantedMs) * SHARE_OF_TIMEOUT
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
