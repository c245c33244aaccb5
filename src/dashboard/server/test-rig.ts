import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { memoryRecords, silentLog, systemRandom, virtualClock, type VirtualClock } from '#base'
import type { Role, SignedIn, Topic } from '#dashboard/wire'

import { createDashboard, type Dashboard } from './dashboard.ts'
import type { Changed } from './live/source.ts'
import type { OpenTerminal } from './ports.ts'

/** A dashboard on a port of its own, over APIs that only say what they were asked. */
export interface Rig extends AsyncDisposable {
  readonly base: string
  readonly clock: VirtualClock
  readonly dashboard: Dashboard
  /** `METHOD path` of what came through the doors. */
  readonly asked: string[]
  /** For whom. */
  readonly vouched: string[]
  /** What the live source has, by topic and id. */
  readonly values: Map<Topic, Map<string, unknown>>
  /** Tells the hub; undefined while nobody watches. */
  changed(): Changed | undefined
  terminal(): OpenTerminal | undefined
  user(name: string, role: Role): Promise<Browser>
  /** As a browser that is not signed in. */
  ask(path: string, init?: RequestInit): Promise<Response>
}

/** Who is signed in, with both halves of the session. */
export interface Browser {
  readonly cookie: string
  readonly proof: string
  ask(path: string, init?: RequestInit): Promise<Response>
}

export const PASSWORD = 'correct horse battery'

export async function rig(): Promise<Rig> {
  const clock = virtualClock()
  const pageDirectory = mkdtempSync(join(tmpdir(), 'glovebox-dashboard-'))
  writePage(pageDirectory)
  const asked: string[] = []
  const vouched: string[] = []
  const values = new Map<Topic, Map<string, unknown>>()
  let tell: Changed | undefined
  let terminal: OpenTerminal | undefined
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{}')
  }
  const dashboard = createDashboard({
    instance: 'test',
    hostname: 'host',
    version: '1',
    pageDirectory,
    records: memoryRecords(),
    passwordCost: { N: 16, r: 1, p: 1 },
    docker: { handleRequest: answer },
    ours: {
      handle: async (request, response) => {
        answer(request, response)
        return await Promise.resolve(true)
      },
    },
    vouch: (_request, user) => void vouched.push(user),
    operations: {
      perform: async (name, verb, { actor }) => {
        asked.push(`${verb.verb} ${name} by ${actor.by} from ${actor.from}`)
        return await Promise.resolve({} as never)
      },
    },
    live: {
      watch: (changed) => {
        tell = changed
        return {
          read: async (topic, ids) => {
            const all = [...(values.get(topic) ?? [])].filter(([id]) => ids?.includes(id) ?? true)
            return await Promise.resolve(new Map(all) as ReadonlyMap<string, unknown> as ReadonlyMap<string, never>)
          },
          [Symbol.dispose]: () => (tell = undefined),
        }
      },
    },
    terminals: {
      open: async () => {
        terminal = echo()
        return await Promise.resolve(terminal)
      },
    },
    clock,
    random: systemRandom(),
    log: silentLog(),
  })
  const base = await dashboard.listen({ host: '127.0.0.1', port: 0, tls: undefined })
  const ask = async (path: string, init: RequestInit = {}) =>
    await fetch(`${base}${path}`, { ...init, headers: { origin: base, ...(init.headers as Record<string, string>) } })
  const user = async (name: string, role: Role): Promise<Browser> => {
    await dashboard.accounts.put(name, { role, password: PASSWORD }, 'a test')
    const response = await signIn({ ask }, name)
    const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    const { proof } = (await response.json()) as SignedIn
    const headers = { cookie, 'x-glovebox-proof': proof }
    return {
      cookie,
      proof,
      ask: async (path, init = {}) =>
        await ask(path, { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } }),
    }
  }
  return {
    base,
    clock,
    dashboard,
    asked,
    vouched,
    values,
    changed: () => tell,
    terminal: () => terminal,
    user,
    ask,
    [Symbol.asyncDispose]: async () => {
      await dashboard.close()
      rmSync(pageDirectory, { recursive: true, force: true })
    },
  }
}

export async function signIn({ ask }: Pick<Rig, 'ask'>, user: string, password: string = PASSWORD): Promise<Response> {
  return await ask('/session', {
    method: 'POST',
    body: JSON.stringify({ user, password }),
    headers: { 'content-type': 'application/json' },
  })
}

/** Says each line again. */
function echo(): OpenTerminal {
  const { readable, writable } = new TransformStream<Buffer, Buffer>()
  const writer = writable.getWriter()
  return {
    output: readable,
    write: (bytes) => {
      void writer.write(bytes).catch(() => undefined)
      return true
    },
    drained: async () => await Promise.resolve(),
    resize: async ({ columns, rows }) => await writer.write(Buffer.from(`<${columns}x${rows}>`)),
    exitCode: () => 0,
    end: () => void writer.close().catch(() => undefined),
  }
}

function writePage(directory: string): void {
  const files = { 'index.html': 'text/html', 'page-AAAA.js': 'text/javascript' }
  for (const name of Object.keys(files))
    for (const ending of ['', '.br', '.gz']) writeFileSync(join(directory, `${name}${ending}`), `${name}${ending}`)
  const entries = Object.entries(files).map(([name, type]) => [name, { type, etag: name.length.toString() }])
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ index: 'index.html', files: Object.fromEntries(entries) }))
}
