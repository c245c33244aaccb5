import { rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'

import { buildError } from '#engine/builder'

/** An SSH agent takes one connection for each program that uses it. */
const MAX_CONNECTIONS = 64

/**
 * A socket of our own that passes on to an SSH agent's: it can have the owner that the step needs, and ends with it, while the agent's own
 * socket is never seen by a build. Error: `build.ssh_missing`.
 */
export async function proxyAgent(agentPath: string, path: string): Promise<AsyncDisposable> {
  await probe(agentPath)
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const agent = createConnection(agentPath)
    for (const [socket, other] of [
      [client, agent],
      [agent, client],
    ] as const) {
      open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    client.pipe(agent).pipe(client)
  })
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(path, { force: true })
    },
  }
}

function probe(agentPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(agentPath, () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', (error) =>
      reject(
        buildError('build.ssh_missing', `no SSH agent answers at ${agentPath}: ${error.message}`, {
          cause: error,
          hint: 'Start one with ssh-agent and add a key with ssh-add.',
        }),
      ),
    )
  })
}
