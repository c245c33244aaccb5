import { open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'

/** Longest path that fits into sockaddr_un with its terminator (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107

/** Connects to a unix stream socket, however long its path is. Rejects with Node's own error (ENOENT, ECONNREFUSED). */
export async function connectUnix(path: string): Promise<Socket> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return await dial(path)
  const dir = await open(dirname(path))
  try {
    return await dial(`/proc/self/fd/${dir.fd}/${basename(path)}`)
  } finally {
    await dir.close()
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
