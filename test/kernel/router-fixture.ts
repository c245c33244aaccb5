import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { lineLog, memoryRecords, silentLog, systemClock, systemRandom } from '#base'
import { PLAIN_RULE, type RouteRule } from '#cluster/spec'
import type { Certificates } from '#traffic/certificates'
import { nodeProcesses, openRouter, type Backend, type Route, type Router } from '#traffic/router'

/** A router of its own directory, and servers behind it in this process. */
export interface RouterFixture extends AsyncDisposable {
  readonly runDir: string
  readonly router: Router
  /** A port that nobody has. */
  port(): Promise<number>
  /** Answers with JSON of what it was asked, unless `answer` does otherwise. */
  backend(id: string, answer?: RequestListener, more?: Partial<Backend>): Promise<Backend>
}

export async function routerFixture(certificates?: Certificates): Promise<RouterFixture> {
  const runDir = mkdtempSync(join(tmpdir(), 'gbx-rt-'))
  const servers: Server[] = []
  const isVerbose = process.env['GLOVEBOX_TEST_LOG'] !== undefined
  const router = openRouter({
    runDir,
    processes: nodeProcesses(),
    clock: systemClock(),
    random: systemRandom(),
    log: isVerbose
      ? lineLog({ level: 'debug', write: (line) => process.stderr.write(line), now: () => new Date() })
      : silentLog(),
    store: memoryRecords(),
    accessLogPath: join(runDir, 'access.log'),
    runAs: process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null,
    command: 'haproxy',
    ...(certificates === undefined ? {} : { certificates }),
  })
  return {
    runDir,
    router,
    port: async () => await router.freePort('127.0.0.1'),
    backend: async (id, answer = echo(id), more = {}) => {
      const server = createServer(answer)
      servers.push(server)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      return {
        id,
        address: '127.0.0.1',
        port: typeof address === 'object' && address !== null ? address.port : 0,
        state: 'ready',
        ...more,
      }
    },
    [Symbol.asyncDispose]: async () => {
      await router.stop()
      await router[Symbol.asyncDispose]()
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
      rmSync(runDir, { recursive: true, force: true })
    },
  }
}

/** What a backend of `echo` says of a request. */
export interface Echo {
  readonly name: string
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

function echo(name: string): RequestListener {
  return (request, response) => {
    request.resume()
    request.on('end', () => {
      const { method, url, headers } = request
      response.setHeader('x-backend', name)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ name, method, url, headers }))
    })
  }
}

export function rule(more: Partial<RouteRule>): RouteRule {
  return { ...PLAIN_RULE, ...more }
}

export function httpRoute(
  hostPort: number,
  backends: readonly Backend[],
  more: Partial<RouteRule> = {},
  id = `shop/web/${hostPort}`,
): Route {
  return { id, hostIp: '127.0.0.1', hostPort, mode: 'http', backends, rule: rule(more) }
}

export interface CurlAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  readonly version: string
  readonly exitCode: number
  readonly errors: string
}

/** The real curl. The last answer counts. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const child = spawn('curl', ['-sS', '-i', '-m', '15', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended(child)])
  const [head = '', ...rest] = output.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const [version = '', status = '0'] = first.split(' ')
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return { status: Number(status), headers, body: rest.join('\r\n\r\n'), version, exitCode: child.exitCode ?? -1, errors }
}

export function echoOf({ body }: CurlAnswer): Echo {
  return JSON.parse(body) as Echo
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const part of stream) text += String(part)
  return text
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, 'close')
}
