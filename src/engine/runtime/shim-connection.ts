import type { Duplex } from 'node:stream'

import { messageOf } from '#base'

import { runtimeError } from './errors.ts'
import { parseExit, parseStarted, type ExitRecord, type StartedRecord } from './records.ts'
import {
  encodeFrame,
  encodeResize,
  encodeSignal,
  encodeStdin,
  encodeSubscribe,
  frameDecoder,
  frameType,
  type ControlFrame,
  type OutputStream,
  type Subscription,
} from './shim-frames.ts'

/** Called in the order in which the shim says things. None may throw. */
export interface ShimListener {
  started?(record: StartedRecord): void
  /** The OCI runtime's own words. Nothing follows. */
  failed?(text: string): void
  /** Bytes as they came, in no particular portions. Call `pause` if they cannot be taken. */
  output?(stream: OutputStream, bytes: Buffer): void
  exited?(record: ExitRecord): void
  /** No output will follow. */
  outputEnded?(): void
  /** Log lines that could not be written so far. */
  logLost?(lines: bigint): void
  paused?(): void
  /** The shim or we have closed. The reason is there only if it was not in order. */
  closed?(reason: Error | undefined): void
}

/** One connection to a shim: any number may be open at the same time. */
export interface ShimConnection {
  listen(listener: ShimListener): Disposable
  /** Resolves when more may be sent; at once if the other side is gone, as for a program that has closed its stdin. */
  stdin(bytes: Buffer): Promise<void>
  /** Closes the program's stdin once all that was sent has reached it. Does nothing to a terminal. */
  closeStdin(): void
  resize(rows: number, cols: number): void
  subscribe(subscription: Subscription): void
  /** To the first process, while it lives. */
  signal(signal: number): void
  /** Lets a process that was prepared execute its program. */
  go(): void
  /** While paused the shim holds the program's output back, and no other event of this connection arrives. */
  pause(): void
  resume(): void
  close(): void
  readonly isClosed: boolean
}

export function shimConnection(socket: Duplex): ShimConnection {
  const listeners = new Set<ShimListener>()
  const decoder = frameDecoder()
  let isEnding = false
  let isClosed = false
  let problem: Error | undefined

  const each = (act: (listener: ShimListener) => void) => {
    for (const listener of [...listeners]) act(listener)
  }
  const onControl = (frame: ControlFrame) => {
    isEnding ||= frame.type === frameType.outputEnd || frame.type === frameType.failed
    each((listener) => tell(listener, frame))
  }
  const onData = (chunk: Buffer) => {
    try {
      for (const piece of decoder.push(chunk)) {
        if (piece.kind === 'output') each((listener) => listener.output?.(piece.stream, piece.bytes))
        else onControl(piece)
      }
    } catch (error) {
      problem = error instanceof Error ? error : new Error(messageOf(error))
      socket.destroy()
    }
  }
  socket.on('data', onData)
  // Half-open makes no sense here: when the shim says no more, it is gone.
  socket.on('end', () => socket.end())
  // A shim that leaves may find bytes of ours unread, which the kernel then reports as a reset.
  socket.on('error', (error) => (problem ??= isEnding ? undefined : error))
  socket.on('close', () => {
    isClosed = true
    each((listener) => listener.closed?.(problem))
    listeners.clear()
  })

  const send = (frame: Buffer) => {
    if (!isClosed && socket.writable) socket.write(frame)
  }
  return {
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    stdin: (bytes) => sendStdin(socket, bytes),
    closeStdin: () => send(encodeFrame(frameType.closeStdin)),
    resize: (rows, cols) => send(encodeResize(rows, cols)),
    subscribe: (subscription) => send(encodeSubscribe(subscription)),
    signal: (signal) => send(encodeSignal(signal)),
    go: () => send(encodeFrame(frameType.go)),
    pause: () => {
      socket.pause()
      each((listener) => listener.paused?.())
    },
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
    get isClosed() {
      return isClosed
    },
  }
}

async function sendStdin(socket: Duplex, bytes: Buffer): Promise<void> {
  if (!socket.writable) return
  let hasRoom = true
  socket.cork()
  for (const part of encodeStdin(bytes)) hasRoom = socket.write(part)
  socket.uncork()
  if (hasRoom || !socket.writableNeedDrain) return
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}

function tell(listener: ShimListener, frame: ControlFrame): void {
  switch (frame.type) {
    case frameType.started:
      return listener.started?.(parseStarted(frame.payload.toString()))
    case frameType.failed:
      return listener.failed?.(frame.payload.toString())
    case frameType.exited:
      return listener.exited?.(parseExit(frame.payload.toString()))
    case frameType.outputEnd:
      return listener.outputEnded?.()
    case frameType.logLost:
      return listener.logLost?.(frame.payload.readBigUInt64BE())
    default:
      throw runtimeError('runtime.protocol_broken', `the shim sent a frame of type ${frame.type}`)
  }
}
