import type { ServerResponse } from 'node:http'

import { apiError } from './errors.ts'
import type { FrameOutput } from './request.ts'

/** One byte of type, three zero, four of length, big-endian: as Docker frames streams, and the shim. */
const HEADER_BYTES = 8
const TYPES = { stdout: 1, stderr: 2, exit: 3 } as const

/** Sends what a command writes, as it comes, and its exit code. The head of the answer waits for the first bytes. */
export async function sendFrames(response: ServerResponse, run: (output: FrameOutput) => Promise<number | null>): Promise<void> {
  const code = await run({
    write: (stream, bytes) => writeFrame(response, TYPES[stream], bytes),
    drained: () => drained(response),
  })
  if (code === null) throw apiError('api.no_such_route', 'this command is not run here')
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(code)
  writeFrame(response, TYPES.exit, bytes)
  response.end()
}

function writeFrame(response: ServerResponse, type: number, bytes: Uint8Array): boolean {
  if (response.destroyed) return true
  if (!response.headersSent) {
    // The end of the connection is the end of the frames: nothing around them.
    response.removeHeader('transfer-encoding')
    response.writeHead(200, { 'content-type': 'application/octet-stream', connection: 'close' })
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes.length)
  frame.writeUInt32BE(type * 2 ** 24, 0)
  frame.writeUInt32BE(bytes.length, 4)
  frame.set(bytes, HEADER_BYTES)
  return response.write(frame)
}

/** Also when the other side is gone. */
export function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed || !response.writableNeedDrain) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
  })
}
