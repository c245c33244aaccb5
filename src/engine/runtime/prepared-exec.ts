import type { Clock } from '#base'

import type { RunningProcess } from './running-process.ts'
import type { ShimConnection } from './shim-connection.ts'
import type { Subscription } from './shim-frames.ts'
import type { ShimServer } from './shim-server.ts'
import { startShim } from './start-shim.ts'

/** A process that waits in its container, with everything done but the execution of its program. Ends with the daemon, and with its container. */
export interface PreparedExec {
  /** False once it has failed, ended, been started or closed. */
  readonly isReady: boolean
  /** Once, while it is ready. */
  start(streams: {
    readonly subscription?: Subscription | undefined
    readonly onConnected?: ((connection: ShimConnection) => void) | undefined
  }): Promise<RunningProcess>
  close(): void
}

/** `onAsked`: the process is on its way, and its program not before the start. What fails there spoils it. */
export function prepareExec(
  server: ShimServer,
  words: () => readonly string[],
  dir: string,
  clock: Clock,
  onAsked: () => void,
): PreparedExec {
  const connected = Promise.withResolvers<ShimConnection>()
  let isReady = true
  const spoil = () => void (isReady = false)
  const verdict = startShim(server, words, dir, clock, (connection) => {
    connection.listen({ started: spoil, failed: spoil, closed: spoil })
    try {
      onAsked()
    } catch (error) {
      connection.close()
      throw error
    }
    connected.resolve(connection)
  })
  verdict.catch((error: unknown) => {
    spoil()
    connected.reject(error)
  })
  connected.promise.catch(() => undefined)
  return {
    get isReady() {
      return isReady
    },
    start: async ({ subscription, onConnected }) => {
      isReady = false
      const connection = await connected.promise
      if (subscription !== undefined) connection.subscribe(subscription)
      onConnected?.(connection)
      connection.go()
      return await verdict
    },
    close: () => {
      isReady = false
      connected.promise.then(
        (connection) => connection.close(),
        () => undefined,
      )
    },
  }
}
