import { connect, type Socket } from 'node:net'

export interface Hijacked {
  readonly socket: Socket
  /** Of the answer: its first line. */
  readonly status: string
  /** Its head, without the first line. */
  readonly head: string
  /** What came behind the head so far. */
  bytes(): Buffer
  /** Resolves at the end of the connection to all that came behind the head. */
  readonly ended: Promise<Buffer>
}

export interface HijackRequest {
  readonly path: string
  readonly json?: unknown
  /** Ask by `Upgrade: tcp`, as newer clients do; else a plain POST, as older ones. */
  readonly isUpgrade: boolean
}

/** Sends a request whose connection then is a stream of bytes, and waits for the head of the answer. */
export async function hijack(socketPath: string, { path, json, isUpgrade }: HijackRequest): Promise<Hijacked> {
  const socket = connect({ path: socketPath, allowHalfOpen: true })
  const body = json === undefined ? '' : JSON.stringify(json)
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: docker',
    ...(isUpgrade ? ['Connection: Upgrade', 'Upgrade: tcp'] : []),
    ...(body === '' ? [] : ['Content-Type: application/json']),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.write([...lines, '', body].join('\r\n'))
  let all = Buffer.alloc(0)
  const headEnd = () => all.indexOf('\r\n\r\n')
  const behind = () => all.subarray(headEnd() + 4)
  const ended = new Promise<Buffer>((resolve, reject) => {
    socket.once('end', () => resolve(behind()))
    socket.once('error', reject)
  })
  ended.catch(() => undefined)
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      all = Buffer.concat([all, chunk])
      if (headEnd() !== -1) resolve()
    })
    socket.once('end', resolve)
    socket.once('error', reject)
  })
  const [status = '', ...head] = all.subarray(0, headEnd()).toString('latin1').split('\r\n')
  return { socket, status, head: head.join('\n'), bytes: behind, ended }
}
