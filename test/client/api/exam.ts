import assert from 'node:assert/strict'
import { request, type IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

import { apiDescription, type ApiDescription } from '../../../src/api/docker/testing/description.ts'
import { isUndescribedStatus } from './quirks.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** undefined: the answer is not JSON. */
  readonly json: any
  /** Of an answer that is one JSON text a line. */
  readonly lines: readonly any[]
}

export interface Asked {
  /** Values of `{id}` and the like. */
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[]>>
  /** Sent as JSON. */
  readonly json?: unknown
  readonly bytes?: Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** Any below 400 unless given. */
  readonly status?: number
}

/** Speaks one version of the API, checks every answer against the description of it, and remembers which operations were asked. */
export interface ApiExam {
  /** null: without a prefix. */
  readonly minor: number | null
  readonly description: ApiDescription
  readonly asked: ReadonlySet<string>
  /** What was wrong with answers so far. */
  readonly findings: ReadonlySet<string>
  /** `operation`: `GET /containers/{id}/json`. */
  call(operation: string, asked?: Asked): Promise<Answer>
  /** The path with its version, for what goes around `call`. */
  path(operation: string, asked?: Asked): string
}

export function apiExam(socketPath: string, minor: number | null): ApiExam {
  const description = apiDescription(minor ?? 51)
  const asked = new Set<string>()
  const found = new Set<string>()
  const path = (operation: string, { params = {}, query = {} }: Asked = {}) => {
    asked.add(operation)
    const [, template = ''] = operation.split(' ')
    const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? `{${name}}`)
    const words = new URLSearchParams()
    for (const [name, value] of Object.entries(query))
      for (const item of Array.isArray(value) ? (value as string[]) : [value]) words.append(name, String(item))
    return `${minor === null ? '' : `/v1.${minor}`}${filled}${words.size === 0 ? '' : `?${words.toString()}`}`
  }
  return {
    minor,
    description,
    asked,
    findings: found,
    path,
    call: async (operation, options = {}) => {
      const answer = await send(socketPath, operation.split(' ')[0] ?? 'GET', path(operation, options), options)
      const where = `${operation} (1.${minor ?? 'none'})`
      const seen = `${where}: ${answer.status} ${answer.bytes.toString().slice(0, 300)}`
      if (options.status === undefined) assert.ok(answer.status < 400, seen)
      else assert.equal(answer.status, options.status, seen)
      for (const finding of findings(description, operation, answer)) found.add(`${operation}: ${finding}`)
      return answer
    },
  }
}

function findings(description: ApiDescription, operation: string, answer: Answer): readonly string[] {
  if (answer.status >= 400) {
    const isKnown = description.checkAnswer(operation, answer.status, undefined).length === 0
    const stray = isKnown || isUndescribedStatus(operation, answer.status) ? [] : [`status ${answer.status} is not described`]
    return [...stray, ...description.check('ErrorResponse', answer.json)]
  }
  if (answer.json === undefined) return description.checkAnswer(operation, answer.status, undefined)
  const bodies = answer.lines.length > 0 ? answer.lines : [answer.json]
  return bodies.flatMap((body) => description.checkAnswer(operation, answer.status, body))
}

const STREAMS = ['/events', '/stats', '/build', '/images/create', '/images/load', '/push']

export function send(socketPath: string, method: string, path: string, asked: Asked = {}): Promise<Answer> {
  const body = asked.json === undefined ? asked.bytes : Buffer.from(JSON.stringify(asked.json))
  const headers = {
    ...(asked.json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(body === undefined ? {} : { 'content-length': String(body.length) }),
    ...asked.headers,
  }
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
      void bytesOf(response).then((bytes) => {
        const isJson = response.headers['content-type'] === 'application/json'
        const isStream = STREAMS.some((end) => path.split('?')[0]?.endsWith(end) === true)
        const texts = isJson ? bytes.toString().trim().split('\n') : []
        const lines = texts.filter((line) => line.trim() !== '').map((line): unknown => JSON.parse(line))
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          json: lines[0],
          lines: isStream ? lines : [],
        })
      }, reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
