import { connect, type Socket } from 'node:net'

/**
 * Asks one address again and again over so many connections, as a process of its own, so that neither the test nor the load waits for the other. Its only argument is a `ClientTask` as
 * JSON. SIGTERM, or the end of its standard input: it ends when what is under way is answered, and prints a `ClientReport` as JSON. Whatever is not a whole answer with 200 has failed: nothing is
 * asked twice.
 */
export interface ClientTask {
  readonly port: number
  /** At the same time. */
  readonly connections: number
  /** Many requests on one connection; else each has its own. */
  readonly isKept: boolean
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Requests after which it ends by itself; 0: none. */
  readonly most: number
  /** Of all connections together; 0: as many as there can be. */
  readonly perSecond: number
  /** What the version of each answer begins with: another is that of somebody else. */
  readonly version: string
}

export interface ClientReport {
  readonly requests: number
  readonly failures: number
  /** How often each reason was met. */
  readonly reasons: Readonly<Record<string, number>>
  /** The first of them, with the time of day. */
  readonly first: readonly string[]
  /** Of those that took more than half a second: how long, and when they were answered. */
  readonly slow: readonly string[]
  /** How many were answered by each version. */
  readonly versions: Readonly<Record<string, number>>
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly most: number }
}

const PATIENCE_MS = 10_000
const KEPT_FAILURES = 20
const SLOW_MS = 500
/** Of latencies: hundredths of a millisecond up to 10 s, beyond that it is a failure. */
const BUCKETS_MS = 100
const REPORT_EVERY_MS = 1000
const PERCENT_99 = 0.99

const task = JSON.parse(process.argv[2] ?? '') as ClientTask
const body = task.method === 'POST' ? 'word=one' : ''
const ask = Buffer.from(
  `${task.method} ${task.path} HTTP/1.1\r\nHost: load.test\r\n${task.isKept ? '' : 'Connection: close\r\n'}${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`,
)
const reasons = new Map<string, number>()
const versions = new Map<string, number>()
const first: string[] = []
const slow: string[] = []
const latencies = new Map<number, number>()
let requests = 0
let failures = 0
let isOver = false
const startMs = performance.now()

function fail(reason: string, connection: string): void {
  failures += 1
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  if (first.length < KEPT_FAILURES) first.push(`${new Date().toISOString()} ${connection} ${reason}`)
}

function take(head: string, tookMs: number, connection: string): void {
  const status = head.slice(9, 12)
  if (status !== '200') fail(`status ${status}`, connection)
  const version = /\r\nx-version: (\S+)/i.exec(head)?.[1] ?? '?'
  if (status === '200' && !version.startsWith(task.version)) fail(`an answer of ${version}`, connection)
  versions.set(version, (versions.get(version) ?? 0) + 1)
  if (tookMs > SLOW_MS && slow.length < KEPT_FAILURES) slow.push(`${Math.round(tookMs)} ms at ${new Date().toISOString()}`)
  const bucket = Math.round(tookMs * BUCKETS_MS)
  latencies.set(bucket, (latencies.get(bucket) ?? 0) + 1)
}

/** One request on a connection; resolves to whether the connection can take another. */
async function one(socket: Socket, name: string): Promise<boolean> {
  const askedMs = performance.now()
  return await new Promise((resolve) => {
    let text = ''
    let wanted = -1
    let head = ''
    const end = (isGood: boolean, reason = '') => {
      clearTimeout(late)
      socket.off('data', data)
      socket.off('close', closed)
      if (reason === '') take(head, performance.now() - askedMs, name)
      else fail(reason, name)
      resolve(isGood)
    }
    const data = (bytes: string) => {
      text += bytes
      if (wanted === -1) {
        const at = text.indexOf('\r\n\r\n')
        if (at === -1) return
        head = text.slice(0, at)
        const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
        wanted = at + 4 + Number(length ?? 0)
      }
      if (text.length >= wanted) end(task.isKept && !/\r\nconnection: close/i.test(head))
    }
    const closed = () => end(false, text === '' ? `no answer: ${reasonOf(socket)}` : `half an answer: ${reasonOf(socket)}`)
    const late = setTimeout(() => end(false, `no answer within ${PATIENCE_MS} ms`), PATIENCE_MS)
    socket.on('data', data)
    socket.on('close', closed)
    if (socket.closed) return closed()
    socket.write(ask)
  })
}

const errors = new WeakMap<Socket, string>()

function reasonOf(socket: Socket): string {
  return errors.get(socket) ?? 'closed'
}

async function opened(index: number): Promise<Socket> {
  // Ports of one address would run out: each closed connection keeps its own for a minute.
  const localAddress = `127.0.0.${1 + (index % 8)}`
  const socket = connect({ host: '127.0.0.1', port: task.port, localAddress, noDelay: true })
  socket.setEncoding('latin1')
  socket.on('error', (error: NodeJS.ErrnoException) => errors.set(socket, error.code ?? error.message))
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
  return socket
}

/** So that so many a second come together; those that are late are not made up for. */
async function paced(): Promise<void> {
  if (task.perSecond === 0) return
  const dueMs = startMs + (requests / task.perSecond) * 1000
  const waitMs = dueMs - performance.now()
  if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs))
}

async function client(index: number): Promise<void> {
  let socket: Socket | undefined
  while (!isOver && (task.most === 0 || requests < task.most)) {
    requests += 1
    await paced()
    socket ??= await opened(index + requests)
    if (await one(socket, `${index}`)) continue
    socket.destroy()
    socket = undefined
  }
  socket?.destroy()
}

function latencyAt(ratio: number): number {
  const sorted = [...latencies].toSorted(([a], [b]) => a - b)
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  let left = ratio * total
  for (const [bucket, count] of sorted) {
    left -= count
    if (left <= 0) return bucket / BUCKETS_MS
  }
  return 0
}

function report(): ClientReport {
  return {
    requests,
    failures,
    reasons: Object.fromEntries(reasons),
    first,
    slow,
    versions: Object.fromEntries(versions),
    latencyMs: { p50: latencyAt(0.5), p99: latencyAt(PERCENT_99), most: latencyAt(1) },
  }
}

process.on('SIGTERM', () => (isOver = true))
process.stdin.on('end', () => (isOver = true)).resume()
const telling = setInterval(() => process.stdout.write(`${requests} ${failures}\n`), REPORT_EVERY_MS)
await Promise.all(Array.from({ length: task.connections }, (_, index) => client(index)))
clearInterval(telling)
process.stdout.write(`${JSON.stringify(report())}\n`)
process.exit(0)
