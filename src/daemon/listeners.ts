import { isGroup, serve, serveTls, type HttpApi, type Serving } from '#api/http'
import type { Clock, Log } from '#base'

import type { DaemonOptions } from './arguments.ts'

/** As with Docker: who is in this group may use the socket. */
const DEFAULT_GROUP = 'docker'

/** The socket, and TCP where it is asked for. Errors: those of `serve` and `serveTls`; then nothing listens. */
export async function listeners(
  options: Pick<DaemonOptions, 'socketPath' | 'group' | 'tcp'>,
  of: { readonly api: HttpApi; readonly clock: Clock; readonly log: Log; readonly maxOpenFiles: number | undefined },
): Promise<readonly Serving[]> {
  const group = options.group ?? ((await isGroup(DEFAULT_GROUP)) ? DEFAULT_GROUP : undefined)
  const { api, clock, log, maxOpenFiles } = of
  const both = { api, clock, log, maxOpenFiles }
  const socket = await serve({ unixSocketPath: options.socketPath, ...(group === undefined ? {} : { group }), ...both })
  if (options.tcp === undefined) return [socket]
  try {
    const tcp = await serveTls({ ...options.tcp, ...both })
    log.info('listening with TLS', { address: tcp.path })
    return [socket, tcp]
  } catch (error) {
    await socket.close()
    throw error
  }
}
