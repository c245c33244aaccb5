import type { Socket } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'

import { readBytes } from '#api/http'
import type { Clock } from '#base'
import type { AttachStream } from '#engine/containers'

import type { Call } from './call.ts'
import { dockerError } from './errors.ts'

/** The JSON of exec start is a few flags. */
const MAX_START_BODY_BYTES = 64 * 1024

/** A client that has had all output and a half-closed connection, and still does not close its own side, is cut off after this. */
const LINGER_MS = 10_000

const RAW_STREAM = 'application/vnd.docker.raw-stream'
const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream'

/** Clients learned to be told which of the two forms comes with 1.42. */
export function streamType(minor: number, isRaw: boolean): string {
  return minor >= 42 && !isRaw ? MULTIPLEXED_STREAM : RAW_STREAM
}

export interface HijackableCall {
  /** The request's body. An upgrade hides it from the parser: it then stands first in what came behind the head. */
  readBody(): Promise<Buffer>
  /** Takes the connection over and sends the head: from here on nothing can be refused. Undefined: the client is gone. */
  takeOver(isRaw: boolean): Promise<TakenOver | undefined>
}

export interface TakenOver {
  /** Carries both directions. Resolves when both sides are done with the connection. */
  join(stream: AttachStream, clock: Clock): Promise<void>
}

/** For an attachment that stands. */
export async function connect(call: HijackableCall, stream: AttachStream, clock: Clock): Promise<void> {
  const taken = await call.takeOver(stream.isRaw)
  if (taken === undefined) stream.close()
  else await taken.join(stream, clock)
}

export function hijackable(call: Call): HijackableCall {
  return call.upgrade === null ? overPlainPost(call) : overUpgrade(call, call.upgrade)
}

function overUpgrade(call: Call, upgrade: { readonly socket: Socket; readonly head: Buffer }): HijackableCall {
  const { socket } = upgrade
  if (upgrade.head.length > 0) socket.unshift(upgrade.head)
  return {
    readBody: async () => {
      if (call.request.headers['transfer-encoding'] !== undefined)
        throw dockerError('docker.option_unsupported', 'a request that upgrades its connection must give its Content-Length')
      const length = Number(call.request.headers['content-length'] ?? 0)
      if (!(length <= MAX_START_BODY_BYTES))
        throw dockerError('docker.field_invalid', `the request body is larger than ${MAX_START_BODY_BYTES} bytes`)
      return length === 0 ? Buffer.alloc(0) : await readExactly(socket, length)
    },
    takeOver: async (isRaw) => {
      call.response.detachSocket(socket)
      const head = ['HTTP/1.1 101 UPGRADED', `Content-Type: ${streamType(call.minor, isRaw)}`]
      socket.write([...head, 'Connection: Upgrade', 'Upgrade: tcp', ...apiHeaders(call), '', ''].join('\r\n'))
      return await Promise.resolve(takenOver(socket, socket))
    },
  }
}

function overPlainPost(call: Call): HijackableCall {
  return {
    readBody: () => readBytes(call.request, MAX_START_BODY_BYTES),
    takeOver: async (isRaw) => {
      const { request, response } = call
      const socket = response.socket
      if (socket === null || socket.destroyed) return undefined
      // A chunked body that has not ended is the input itself, and the parser goes on unwrapping it.
      const isBodyInput = request.headers['transfer-encoding'] !== undefined && !request.readableEnded
      if (isBodyInput) response.detachSocket(socket)
      else await takeFromParser(call, socket)
      const head = ['HTTP/1.1 200 OK', `Content-Type: ${streamType(call.minor, isRaw)}`]
      socket.write([...head, ...apiHeaders(call), '', ''].join('\r\n'))
      // A connection that the parser had flows on: until the attachment is joined somebody has to take what comes, its end too.
      return takenOver(socket, isBodyInput ? request : socket.pipe(new PassThrough()))
    },
  }
}

/** The client may go while the process is being started: that must not take the daemon along. */
function takenOver(socket: Socket, typed: Readable): TakenOver {
  for (const stream of new Set<Readable>([socket, typed])) stream.on('error', () => socket.destroy())
  return {
    join: async (stream, clock) => {
      if (socket.destroyed) stream.close()
      else await join(socket, typed, stream, clock)
    },
  }
}

/** Node gives a connection away only on an upgrade. Without its listeners the parser sees no further byte, and the next `data` listener gets them all. */
async function takeFromParser(call: Call, socket: Socket): Promise<void> {
  // The body's end must have passed the parser before the bytes behind it are ours.
  if (!call.request.readableEnded) await readBytes(call.request, MAX_START_BODY_BYTES)
  call.response.detachSocket(socket)
  for (const event of ['data', 'end', 'drain', 'error']) socket.removeAllListeners(event)
  const early = call.takeStrayBytes(socket)
  if (early.length > 0) socket.unshift(early)
}

function apiHeaders(call: Call): string[] {
  return ['Api-Version', 'Docker-Experimental', 'Ostype', 'Server'].map(
    (name) => `${name}: ${String(call.response.getHeader(name))}`,
  )
}

/** Both directions until the output ends, with backpressure each way. The client's half-close is the end of the standard input, not of the attachment. */
function join(socket: Socket, typed: Readable, { output, input, close }: AttachStream, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('close', () => {
    close()
    resolve()
  })
  output.once('error', () => socket.destroy())
  output.once('end', () => lingerThenCut(socket, typed, clock))
  output.pipe(socket, { end: false })
  if (input === null) drop(typed)
  else {
    // A process that is gone or has closed its input is no reason to lose its output.
    input.on('error', () => {
      typed.unpipe(input)
      drop(typed)
    })
    typed.pipe(input)
  }
  return promise
}

/** Closing while the client's bytes lie unread would reset the connection under what it has not read yet: so end, go on reading, then cut. */
function lingerThenCut(socket: Socket, typed: Readable, clock: Clock): void {
  socket.end()
  typed.unpipe()
  drop(typed)
  const timer = clock.after(LINGER_MS, () => socket.destroy())
  typed.once('end', () => socket.destroySoon())
  socket.once('close', () => timer[Symbol.dispose]())
}

function drop(source: Readable): void {
  source.on('data', () => undefined)
  source.resume()
}

async function readExactly(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const chunk = socket.read(length) as Buffer | null
    if (chunk?.length === length) return chunk
    if (chunk !== null || socket.readableEnded || socket.destroyed)
      throw dockerError('docker.field_invalid', 'the connection ended inside the request body')
    await nextOf(socket, ['readable', 'end', 'close'])
  }
}

function nextOf(socket: Socket, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      for (const event of events) socket.off(event, settle)
      resolve()
    }
    for (const event of events) socket.once(event, settle)
  })
}
