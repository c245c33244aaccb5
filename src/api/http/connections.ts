import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The connections of a server, bounded. Where one too many comes, the one that has been idle longest goes: whoever holds connections and asks
 * nothing (or never comes to the end of a request's head) keeps nobody out. When every one has work to do, the new one is turned away.
 */
export interface Connections {
  /** A new one. It may be closed at once. */
  add(socket: Socket): void
  /** From here until its answer is done the connection is not idle; one that is taken over for something else stays so. */
  serves(request: IncomingMessage, response: ServerResponse): void
  takenOver(socket: Socket): void
  destroyAll(): void
}

export function boundedConnections(max: number): Connections {
  const all = new Set<Socket>()
  /** Least recently used first. */
  const idle = new Set<Socket>()
  const pending = new WeakMap<Socket, number>()
  const begin = (socket: Socket) => {
    pending.set(socket, (pending.get(socket) ?? 0) + 1)
    idle.delete(socket)
  }
  const end = (socket: Socket) => {
    const left = (pending.get(socket) ?? 1) - 1
    pending.set(socket, left)
    if (left === 0 && all.has(socket)) idle.add(socket)
  }
  const forget = (socket: Socket) => {
    all.delete(socket)
    idle.delete(socket)
  }
  return {
    add: (socket) => {
      if (all.size >= max) {
        const [victim] = idle
        if (victim === undefined) return void socket.destroy()
        forget(victim)
        victim.destroy()
      }
      all.add(socket)
      idle.add(socket)
      socket.once('close', () => forget(socket))
    },
    serves: ({ socket }, response) => {
      begin(socket)
      response.once('close', () => end(socket))
    },
    takenOver: begin,
    destroyAll: () => {
      for (const socket of all) socket.destroy()
    },
  }
}
