import { runtimeError } from './errors.ts'

/**
 * Frames between daemon and shim, the same in both directions: `[type, 0, 0, 0, length u32 big endian]` and the payload.
 * Types 1 and 2 are exactly the frames of Docker's attach stream (Engine API, ContainerAttach, "Stream format").
 */
export const frameType = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  closeStdin: 16,
  resize: 17,
  subscribe: 18,
  signal: 19,
  go: 20,
  spawn: 21,
  started: 32,
  failed: 33,
  exited: 34,
  outputEnd: 35,
  logLost: 36,
} as const

const FRAME_HEADER_BYTES = 8
/** Output frames are passed on in pieces as they come. All others are gathered, and no honest one is longer than this. */
export const MAX_CONTROL_PAYLOAD_BYTES = 64 * 1024
/** The shim reads stdin into a queue of this size, so longer frames gain nothing. */
const MAX_STDIN_PAYLOAD_BYTES = 64 * 1024

export type OutputStream = 'stdout' | 'stderr'

export interface OutputPiece {
  readonly kind: 'output'
  readonly stream: OutputStream
  readonly bytes: Buffer
}

export interface ControlFrame {
  readonly kind: 'control'
  readonly type: number
  readonly payload: Buffer
}

function frameHeader(type: number, length: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  header[0] = type
  header.writeUInt32BE(length, 4)
  return header
}

export function encodeFrame(type: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([frameHeader(type, payload.length), payload])
}

/** Headers and slices of `bytes`, ready for one gathered write. */
export function encodeStdin(bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += MAX_STDIN_PAYLOAD_BYTES) {
    const slice = bytes.subarray(at, at + MAX_STDIN_PAYLOAD_BYTES)
    parts.push(frameHeader(frameType.stdin, slice.length), slice)
  }
  return parts
}

export function encodeResize(rows: number, cols: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt16BE(clampU16(rows), 0)
  payload.writeUInt16BE(clampU16(cols), 2)
  return encodeFrame(frameType.resize, payload)
}

function clampU16(value: number): number {
  return Math.max(0, Math.min(0xffff, Math.trunc(value)))
}

export function encodeSignal(signal: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(signal)
  return encodeFrame(frameType.signal, payload)
}

export interface Subscription {
  readonly stdout: boolean
  readonly stderr: boolean
}

export function subscriptionMask({ stdout, stderr }: Subscription): number {
  return (stdout ? 1 : 0) | (stderr ? 2 : 0)
}

export function encodeSubscribe(subscription: Subscription): Buffer {
  return encodeFrame(frameType.subscribe, Buffer.from([subscriptionMask(subscription)]))
}

/** A request to the shim server: the arguments, each ended by NUL. */
export function encodeSpawn(argv: readonly string[]): Buffer {
  return encodeFrame(frameType.spawn, Buffer.from(argv.map((argument) => `${argument}\0`).join('')))
}

export interface FrameDecoder {
  /** Takes the next bytes of the stream. Throws `runtime.protocol_broken` when they cannot be frames. */
  push(chunk: Buffer): ReadonlyArray<OutputPiece | ControlFrame>
}

export function frameDecoder(): FrameDecoder {
  let header: Buffer = Buffer.alloc(0)
  let type = 0
  let left = 0
  let isInside = false
  let gathered: Buffer[] = []

  const openFrame = () => {
    if (header[1] !== 0 || header[2] !== 0 || header[3] !== 0)
      throw runtimeError('runtime.protocol_broken', `the shim sent ${header.toString('hex')}, which is no frame header`)
    type = header[0] ?? 0
    left = header.readUInt32BE(4)
    if (streamOf(type) === undefined && left > MAX_CONTROL_PAYLOAD_BYTES)
      throw runtimeError('runtime.protocol_broken', `the shim sent a frame of type ${type} with ${left} bytes`)
    isInside = true
  }

  const closeFrame = (found: Array<OutputPiece | ControlFrame>) => {
    if (streamOf(type) === undefined) found.push({ kind: 'control', type, payload: Buffer.concat(gathered) })
    gathered = []
    header = Buffer.alloc(0)
    isInside = false
  }

  return {
    push: (chunk) => {
      const found: Array<OutputPiece | ControlFrame> = []
      let at = 0
      while (at < chunk.length || (isInside && left === 0)) {
        if (!isInside) {
          const part = chunk.subarray(at, at + FRAME_HEADER_BYTES - header.length)
          header = header.length === 0 ? part : Buffer.concat([header, part])
          at += part.length
          if (header.length === FRAME_HEADER_BYTES) openFrame()
          continue
        }
        const bytes = chunk.subarray(at, at + left)
        at += bytes.length
        left -= bytes.length
        const stream = streamOf(type)
        if (stream === undefined) gathered.push(bytes)
        else if (bytes.length > 0) found.push({ kind: 'output', stream, bytes })
        if (left === 0) closeFrame(found)
      }
      return found
    },
  }
}

function streamOf(type: number): OutputStream | undefined {
  if (type === frameType.stdout) return 'stdout'
  return type === frameType.stderr ? 'stderr' : undefined
}
