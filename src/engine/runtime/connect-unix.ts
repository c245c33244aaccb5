import { closeSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'

/** Longest path that fits into sockaddr_un with its terminator (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107

/**
 * Connects to a unix stream socket, however long its path is. Rejects with Node's own error (ENOENT, ECONNREFUSED). Nothing is waited for once it
 * is connected: until the caller listens for errors, the other side's leaving would be the end of the whole program.
 */
export async function connectUnix(path: string): Promise<Socket> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return await dial(path)
  const directory = openSync(dirname(path), 'r')
  try {
    return await dial(`/proc/self/fd/${directory}/${basename(path)}`)
  } finally {
    closeSync(directory)
  }
}

async function dial(path: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ path, allowHalfOpen: true })
  socket.once('error', reject)
  socket.once('connect', () => {
    socket.off('error', reject)
    resolve(socket)
  })
  return await promise
}
