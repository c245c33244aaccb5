import { Agent, request } from 'node:http'

/** No answer of a loaded daemon takes this long unless something is stuck. */
const ANSWER_TIMEOUT_MS = 60_000

export interface Answer {
  readonly status: number
  readonly bytes: Buffer
}

/** One client of the Engine API, with connections of its own. */
export interface ApiClient {
  send(method: string, path: string, body?: unknown): Promise<Answer>
  /** An error status is an error; gives the JSON. */
  must<T = any>(method: string, path: string, body?: unknown): Promise<T>
  close(): void
}

export function apiClient(socketPath: string): ApiClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const send: ApiClient['send'] = async (method, path, body) => {
    const isRaw = Buffer.isBuffer(body)
    const bytes = body === undefined ? Buffer.alloc(0) : isRaw ? body : Buffer.from(JSON.stringify(body))
    const headers = {
      'content-length': bytes.length,
      ...(bytes.length === 0 ? {} : { 'content-type': isRaw ? 'application/x-tar' : 'application/json' }),
    }
    return await new Promise<Answer>((resolve, reject) => {
      const sent = request(
        { socketPath, agent, method, path: `/v1.43${path}`, headers, timeout: ANSWER_TIMEOUT_MS },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(chunks) }))
        },
      )
      sent.on('error', (error) => reject(new Error(`${method} ${path}: ${error.message}`, { cause: error })))
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)))
      sent.end(bytes)
    })
  }
  return {
    send,
    must: async (method, path, body) => {
      const { status, bytes } = await send(method, path, body)
      if (status >= 400) throw new Error(`${method} ${path}: ${status} ${bytes.toString()}`)
      const text = bytes.toString()
      return text === '' ? undefined : JSON.parse(text)
    },
    close: () => agent.destroy(),
  }
}

/** The payload of Docker's stream frames, by stream. */
export function unframe(bytes: Buffer): { readonly stdout: string; readonly stderr: string } {
  const parts: Record<number, Buffer[]> = { 1: [], 2: [] }
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at + 4)
    parts[bytes[at] ?? 0]?.push(bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return { stdout: Buffer.concat(parts[1] ?? []).toString(), stderr: Buffer.concat(parts[2] ?? []).toString() }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
