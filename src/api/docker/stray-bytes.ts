import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * A client that attaches by a plain POST may send its input at once, behind the request. The HTTP parser takes those bytes for a next request
 * and stumbles; here they are kept until the attachment stands.
 */
export interface StrayBytes {
  /** A plain request that will take its connection over. */
  expect(request: IncomingMessage, socket: Socket): void
  /** The parser stumbled over `packet`. False when nobody expects that. */
  keep(socket: Socket, packet: Buffer): boolean
  /** What was kept, once. */
  take(socket: Socket): Buffer
}

export function strayBytes(): StrayBytes {
  const expected = new WeakMap<Socket, { readonly request: IncomingMessage; readonly kept: Buffer[] }>()
  return {
    expect: (request, socket) => void expected.set(socket, { request, kept: [] }),
    keep: (socket, packet) => {
      const entry = expected.get(socket)
      if (entry === undefined) return false
      entry.kept.push(packet.subarray(requestLength(entry.request, packet)))
      holdBack(socket, entry.kept)
      return true
    },
    take: (socket) => {
      const kept = expected.get(socket)?.kept ?? []
      expected.delete(socket)
      return Buffer.concat(kept)
    },
  }
}

/** One more packet may be on its way before the pause holds. */
function holdBack(socket: Socket, kept: Buffer[]): void {
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    kept.push(chunk)
    socket.pause()
  })
  socket.pause()
}

/** How much of the packet is the request itself, when it begins with it: head and body. */
function requestLength(request: IncomingMessage, packet: Buffer): number {
  if (
    !packet
      .subarray(0, 8)
      .toString('latin1')
      .startsWith(`${request.method ?? ''} /`)
  )
    return 0
  const headEnd = packet.indexOf('\r\n\r\n')
  const length = Number(request.headers['content-length'] ?? 0)
  return headEnd === -1 ? 0 : Math.min(packet.length, headEnd + 4 + length)
}
