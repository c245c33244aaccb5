import type { Clock } from '#base'

import { runtimeError } from './errors.ts'
import { exitCodeOfFailure, type StartedRecord } from './records.ts'
import { followProcess, type RunningProcess } from './running-process.ts'
import type { ShimConnection } from './shim-connection.ts'
import type { ShimServer } from './shim-server.ts'

/**
 * Has the shim server start a shim, and waits for the OCI runtime's verdict. Rejects with `runtime.start_failed` in the runtime's words.
 * `onConnected` runs before anything starts: wire streams there and no byte is lost.
 */
export async function startShim(
  server: ShimServer,
  words: () => readonly string[],
  dir: string,
  clock: Clock,
  onConnected?: (connection: ShimConnection) => void,
): Promise<RunningProcess> {
  const verdict = Promise.withResolvers<RunningProcess>()
  await server.request(words, (connection) => {
    connection.listen({
      started: (record: StartedRecord) => verdict.resolve(followProcess(dir, connection, record, clock)),
      failed: (text) => verdict.reject(startFailed(text)),
      closed: () => verdict.reject(runtimeError('runtime.shim_lost', `the shim in ${dir} died before it had started anything`)),
    })
    onConnected?.(connection)
  })
  return await verdict.promise
}

function startFailed(text: string) {
  return runtimeError('runtime.start_failed', text, { details: { exitCode: exitCodeOfFailure(text) } })
}
