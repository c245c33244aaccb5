import { once } from 'node:events'
import type { Socket } from 'node:net'

import { acceptOf, OPCODE, websocketFrame, websocketReader, type WebsocketFrame } from '#api/http'
import type { AttachStream } from '#engine/containers'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { idOf } from './ids.ts'

const NORMAL_END = Buffer.from([0x03, 0xe8])
const PROTOCOL_ERROR = Buffer.from([0x03, 0xea])
const STREAM_HEADER_BYTES = 8
const FIRST_MINOR_WITH_STREAMS = 42

/** GET /containers/{id}/attach/ws: the bytes of an attachment in binary messages, both outputs as one. */
export async function attachOverWebsocket(call: Call, { engine }: RouteContext): Promise<void> {
  const { query, request, upgrade } = call
  const key = request.headers['sec-websocket-key']
  if (upgrade === null || key === undefined || request.headers['sec-websocket-version'] !== '13')
    throw dockerError('docker.field_invalid', 'attach: a websocket handshake of version 13 is needed')
  // Which streams are wanted was not asked before 1.42: all of them.
  const wants = (name: string) => call.minor < FIRST_MINOR_WITH_STREAMS || query.bool(name)
  const stream = await engine.containers.attach(idOf(call), {
    stdin: wants('stdin'),
    stdout: wants('stdout'),
    stderr: wants('stderr'),
    stream: query.bool('stream'),
    logs: query.bool('logs'),
    detachKeys: query.text('detachKeys'),
  })
  const { socket, head } = upgrade
  call.response.detachSocket(socket)
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
  ]
  socket.write([...lines, '', ''].join('\r\n'))
  socket.on('error', () => socket.destroy())
  socket.once('close', () => stream.close())
  takeInput(socket, stream, head)
  await sendOutput(socket, stream)
}

function takeInput(socket: Socket, { input }: AttachStream, head: Buffer): void {
  input?.on('error', () => undefined)
  const take = ({ opcode, payload }: WebsocketFrame) => {
    if (opcode === OPCODE.ping) socket.write(websocketFrame(OPCODE.pong, payload))
    else if (opcode === OPCODE.close) socket.end(websocketFrame(OPCODE.close, payload.subarray(0, 2)))
    else if (opcode !== OPCODE.pong && input !== null && input.writable && !input.write(payload)) {
      socket.pause()
      input.once('drain', () => socket.resume())
    }
  }
  const read = websocketReader(take)
  const feed = (chunk: Buffer) => {
    try {
      read(chunk)
    } catch {
      socket.end(websocketFrame(OPCODE.close, PROTOCOL_ERROR))
    }
  }
  if (head.length > 0) feed(head)
  socket.on('data', feed)
}

async function sendOutput(socket: Socket, { output, isRaw }: AttachStream): Promise<void> {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  const plain = isRaw ? (chunk: Buffer) => [chunk] : withoutHeaders()
  try {
    for await (const chunk of output as AsyncIterable<Buffer>)
      for (const bytes of plain(chunk))
        if (!socket.write(websocketFrame(OPCODE.binary, bytes))) await once(socket, 'drain', { signal: gone.signal })
    if (!socket.destroyed) socket.end(websocketFrame(OPCODE.close, NORMAL_END))
  } catch {
    // The client is gone, or the attachment broke off: either way the connection ends here.
    socket.destroy()
  }
}

/** Docker's stream frames without what tells the standard output from the error output. */
function withoutHeaders(): (chunk: Buffer) => readonly Buffer[] {
  let header = Buffer.alloc(0)
  let left = 0
  return (chunk) => {
    const pieces: Buffer[] = []
    for (let at = 0; at < chunk.length;) {
      if (left > 0) {
        const piece = chunk.subarray(at, at + left)
        pieces.push(piece)
        left -= piece.length
        at += piece.length
        continue
      }
      const part = chunk.subarray(at, at + STREAM_HEADER_BYTES - header.length)
      header = Buffer.concat([header, part])
      at += part.length
      if (header.length < STREAM_HEADER_BYTES) break
      left = header.readUInt32BE(4)
      header = Buffer.alloc(0)
    }
    return pieces
  }
}
