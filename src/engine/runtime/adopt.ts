import type { Clock } from '#base'

import { readExitRecord, readStateRecord, type ExitRecord, type StateRecord } from './records.ts'
import { connectShim, followProcess, type RunningProcess } from './running-process.ts'
import type { ShimConnection } from './shim-connection.ts'

/** What has become of a process that an earlier life of the daemon started. */
export type Adopted =
  | { readonly kind: 'running'; readonly process: RunningProcess }
  | { readonly kind: 'exited'; readonly record: ExitRecord }
  /** The shim is gone and nobody knows the exit code. `state` is there if the process had started: it may even be alive. */
  | { readonly kind: 'lost'; readonly state: StateRecord | undefined }

/** A shim whose runtime has not decided by then is no help: a start takes milliseconds. */
const VERDICT_TIMEOUT_MS = 30_000

export async function adoptShim(dir: string, clock: Clock): Promise<Adopted> {
  const connection = await connectShim(dir)
  const process = connection === undefined ? undefined : await followWhenStarted(dir, connection, clock)
  if (process !== undefined) return { kind: 'running', process }
  const record = await readExitRecord(dir)
  if (record !== undefined) return { kind: 'exited', record }
  return { kind: 'lost', state: await readStateRecord(dir) }
}

/** The shim tells its state to every new connection. Undefined when it leaves, or tells of a failed start. */
async function followWhenStarted(dir: string, connection: ShimConnection, clock: Clock): Promise<RunningProcess | undefined> {
  const { promise, resolve } = Promise.withResolvers<RunningProcess | undefined>()
  using _listening = connection.listen({
    // At once, because the exit may be the next frame of the same portion.
    started: (record) => resolve(followProcess(dir, connection, record, clock)),
    failed: () => resolve(undefined),
    closed: () => resolve(undefined),
  })
  using _timeout = clock.after(VERDICT_TIMEOUT_MS, () => resolve(undefined))
  const process = await promise
  if (process === undefined) connection.close()
  return process
}
