import { request as httpRequest, type IncomingMessage } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { silentLog, systemClock, type Clock } from '#base'
import { serve } from '#api/http'

import { createDockerApi } from '../api.ts'
import type { DockerApiEngine } from '../engine.ts'
import { fakeEngine } from './fake-engine.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly json: unknown
}

/** The API over a real unix socket, with a fake engine behind it. */
export interface ServedApi extends AsyncDisposable {
  readonly path: string
  readonly engine: DockerApiEngine
  call(method: string, url: string, body?: unknown): Promise<Answer>
  /** A bare connection, for what no HTTP client would send. */
  dial(): Socket
}

export async function servedApi(
  change: (engine: DockerApiEngine) => DockerApiEngine = (engine) => engine,
  clock: Clock = systemClock(),
): Promise<ServedApi> {
  const dir = await mkdtemp(join(tmpdir(), 'glovebox-api-'))
  const path = join(dir, 'api.sock')
  const engine = change(fakeEngine())
  const log = silentLog()
  const serving = await serve({ unixSocketPath: path, api: createDockerApi({ engine, clock, log }), clock, log })
  return {
    path,
    engine,
    call: (method, url, body) => call(path, method, url, body),
    dial: () => connect({ path, allowHalfOpen: true }),
    [Symbol.asyncDispose]: async () => {
      await serving.close()
      await rm(dir, { recursive: true })
    },
  }
}

function call(socketPath: string, method: string, url: string, body: unknown): Promise<Answer> {
  const payload = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const headers = payload === undefined ? {} : { 'content-type': 'application/json' }
  const sent = httpRequest({ socketPath, method, path: url, headers, agent: false }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const isJson = response.headers['content-type'] === 'application/json' && text.trim() !== '' && !text.trim().includes('\n')
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined })
    })
  })
  sent.on('error', reject)
  sent.end(payload)
  return promise
}
