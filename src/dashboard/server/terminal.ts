import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import { acceptOf, OPCODE, websocketFrame, websocketReader, type WebsocketFrame } from '#api/http'
import { messageOf, type Clock } from '#base'

import { dashboardError } from './errors.ts'
import type { OpenTerminal, TerminalPort, TerminalSize } from './ports.ts'

/** What the page speaks over the connection: binary messages are bytes of the terminal, text messages are JSON (RFC 6455, section 1.9). */
export const TERMINAL_PROTOCOL = 'glovebox.terminal'
/** Before the proof among the protocols that the page offers: the browser lets it set no other header. */
const PROOF_PREFIX = 'proof.'

const NORMAL = 1000
const GOING_AWAY = 1001
const PROTOCOL_ERROR = 1002
const POLICY_VIOLATION = 1008
const INTERNAL_ERROR = 1011
/** Of the 125 bytes of a control frame two are the code (section 5.5). */
const MAX_REASON_BYTES = 123

/** So that a client that is gone without a word is noticed. */
const PING_EVERY_MS = 30_000
const MAX_COLUMNS = 1000

/** The proof that came with a handshake. */
export function proofOf({ headers }: IncomingMessage): string {
  const offered = protocolsOf(headers['sec-websocket-protocol'])
  return offered.find((word) => word.startsWith(PROOF_PREFIX))?.slice(PROOF_PREFIX.length) ?? ''
}

function protocolsOf(header: string | undefined): readonly string[] {
  return (header ?? '').split(',').map((word) => word.trim())
}

export interface TerminalWish {
  readonly container: string
  readonly size: TerminalSize
  readonly onEnd: (then: () => void) => Disposable
  readonly clock: Clock
}

/** Joins a browser and a shell in a container until either goes. Never rejects once the handshake is answered. Error: `dashboard.request_invalid`. */
export async function joinTerminal(
  connection: { readonly request: IncomingMessage; readonly socket: Socket; readonly head: Buffer },
  terminals: TerminalPort,
  wish: TerminalWish,
): Promise<void> {
  const { request, socket, head } = connection
  const key = request.headers['sec-websocket-key']
  const offered = protocolsOf(request.headers['sec-websocket-protocol'])
  if (key === undefined || request.headers['sec-websocket-version'] !== '13' || !offered.includes(TERMINAL_PROTOCOL))
    throw dashboardError('dashboard.request_invalid', `a websocket handshake of version 13 for ${TERMINAL_PROTOCOL} is needed`)
  socket.setNoDelay(true)
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptOf(key)}`,
      `Sec-WebSocket-Protocol: ${TERMINAL_PROTOCOL}`,
      ...['', ''],
    ].join('\r\n'),
  )
  // What is wrong from here on is told in words: a browser shows nothing of a handshake that failed.
  let terminal: OpenTerminal
  try {
    terminal = await terminals.open(wish.container, wish.size)
  } catch (error) {
    return close(socket, INTERNAL_ERROR, messageOf(error))
  }
  await run(terminal, socket, head, wish)
}

async function run(terminal: OpenTerminal, socket: Socket, head: Buffer, { onEnd, clock }: TerminalWish): Promise<void> {
  let ping: Disposable | undefined
  const beat = () => {
    ping = clock.after(PING_EVERY_MS, () => {
      socket.write(websocketFrame(OPCODE.ping, Buffer.alloc(0)))
      beat()
    })
  }
  const ended = onEnd(() => close(socket, POLICY_VIOLATION, 'the session is over'))
  socket.once('close', () => {
    ping?.[Symbol.dispose]()
    ended[Symbol.dispose]()
    terminal.end()
  })
  if (socket.destroyed) return terminal.end()
  beat()
  takeInput(socket, head, terminal)
  try {
    for await (const bytes of terminal.output)
      if (!socket.destroyed && !socket.write(websocketFrame(OPCODE.binary, bytes))) await drainedOrGone(socket)
    const code = terminal.exitCode()
    close(socket, NORMAL, code === null ? 'the shell has ended' : `the shell has ended with exit code ${code}`)
  } catch (error) {
    close(socket, GOING_AWAY, messageOf(error))
  }
}

async function drainedOrGone(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', () => resolve())
  })
}

function takeInput(socket: Socket, head: Buffer, terminal: OpenTerminal): void {
  const take = ({ opcode, payload }: WebsocketFrame) => {
    if (opcode === OPCODE.ping) return void socket.write(websocketFrame(OPCODE.pong, payload))
    if (opcode === OPCODE.close) return void socket.end(websocketFrame(OPCODE.close, payload.subarray(0, 2)))
    if (opcode === OPCODE.text) {
      const size = sizeOf(payload)
      if (size === undefined) return close(socket, PROTOCOL_ERROR, 'a message that is not understood')
      // It may have ended just now.
      terminal.resize(size).catch(() => undefined)
    } else if ((opcode === OPCODE.binary || opcode === OPCODE.continuation) && !terminal.write(payload)) {
      socket.pause()
      void terminal.drained().then(() => socket.resume())
    }
  }
  const read = websocketReader(take)
  const feed = (chunk: Buffer) => {
    try {
      read(chunk)
    } catch (error) {
      close(socket, PROTOCOL_ERROR, messageOf(error))
    }
  }
  if (head.length > 0) feed(head)
  socket.on('data', feed)
}

/** `{"columns": 80, "rows": 24}` */
function sizeOf(payload: Buffer): TerminalSize | undefined {
  try {
    const { columns, rows } = JSON.parse(payload.toString('utf8')) as Readonly<Record<string, unknown>>
    return terminalSize(Number(columns), Number(rows))
  } catch {
    return undefined
  }
}

export function terminalSize(columns: number, rows: number): TerminalSize | undefined {
  const isSane = (length: number) => Number.isInteger(length) && length > 0 && length <= MAX_COLUMNS
  return isSane(columns) && isSane(rows) ? { columns, rows } : undefined
}

function close(socket: Socket, code: number, reason: string): void {
  if (socket.destroyed || !socket.writable) return
  const text = Buffer.from(reason).subarray(0, MAX_REASON_BYTES)
  // A character that the cut went through would make the frame invalid (section 8.1).
  const whole = Buffer.from(text.toString('utf8').replace(/\uFFFD+$/, ''))
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), whole])
  socket.end(websocketFrame(OPCODE.close, payload))
}
