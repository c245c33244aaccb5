import { clientError } from './errors.ts'

export interface Frame {
  readonly stream: 'stdin' | 'stdout' | 'stderr'
  readonly bytes: Buffer
}

const STREAMS = ['stdin', 'stdout', 'stderr'] as const
const HEADER_BYTES = 8

/**
 * Takes apart Docker's stream frames (Engine API, ContainerAttach: one byte stream type, three zero, four length, big-endian).
 * Pieces of a payload are handed on as they come, so a huge frame needs no memory. Errors: `client.bad_answer`.
 */
export function frameReader(onBytes: (frame: Frame) => void): { push(chunk: Buffer): void; end(): void } {
  let header = Buffer.alloc(0)
  let stream: Frame['stream'] = 'stdout'
  let left = 0
  const push = (chunk: Buffer) => {
    let at = 0
    while (at < chunk.length) {
      if (left > 0) {
        const piece = chunk.subarray(at, at + left)
        left -= piece.length
        at += piece.length
        onBytes({ stream, bytes: piece })
        continue
      }
      const piece = chunk.subarray(at, at + HEADER_BYTES - header.length)
      header = Buffer.concat([header, piece])
      at += piece.length
      if (header.length < HEADER_BYTES) return
      stream = streamOf(header)
      left = header.readUInt32BE(4)
      header = Buffer.alloc(0)
    }
  }
  const end = () => {
    if (left > 0 || header.length > 0)
      throw clientError('client.connection_lost', 'the connection ended in the middle of the output')
  }
  return { push, end }
}

function streamOf(header: Buffer): Frame['stream'] {
  const stream = STREAMS[header[0] ?? 255]
  if (stream === undefined || header[1] !== 0 || header[2] !== 0 || header[3] !== 0)
    throw clientError('client.bad_answer', `the daemon sent a broken stream frame: ${header.toString('hex')}`)
  return stream
}
