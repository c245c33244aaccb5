import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'

import { messageOf } from '#base'

import { hostError } from './errors.ts'

/** A row of uid_map and gid_map: user_namespaces(7). */
export interface IdRange {
  readonly insideId: number
  readonly outsideId: number
  readonly count: number
}

export interface UserMapping {
  readonly uids: readonly IdRange[]
  readonly gids: readonly IdRange[]
}

/** A process that does nothing but be in a user namespace, and in a network namespace that belongs to it. */
export interface HeldUserNamespace extends AsyncDisposable {
  readonly pid: number
}

/**
 * A new user namespace with this mapping, or that of the process `joins`, and in either case a new network namespace of its own. A
 * process with several threads cannot enter one, so a small one holds it until it is disposed of, or until others have joined.
 * Error: `host.namespace_failed`.
 */
export async function holdUserNamespace(wanted: UserMapping | { readonly joins: number }): Promise<HeldUserNamespace> {
  const [program, ...words] =
    'joins' in wanted
      ? ['nsenter', '--user', '--target', String(wanted.joins), '--', 'unshare', '--net', '--', 'cat']
      : ['unshare', '--user', '--net', '--', 'cat']
  const child = spawn(program ?? '', words, { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  const release = async () => {
    child.kill('SIGKILL')
    child.stdin.destroy()
    await ended
  }
  try {
    const pid = await pidWhenInside(child)
    if (!('joins' in wanted)) {
      writeFileSync(`/proc/${pid}/uid_map`, rowsOf(wanted.uids))
      writeFileSync(`/proc/${pid}/gid_map`, rowsOf(wanted.gids))
    }
    return { pid, [Symbol.asyncDispose]: release }
  } catch (error) {
    await release()
    throw hostError('host.namespace_failed', `make a user namespace: ${messageOf(error)}`, { cause: error })
  }
}

/** It echoes what it is given once it runs, and it runs once the namespaces are made. */
async function pidWhenInside(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let complaint = ''
  child.stderr?.on('data', (bytes: Buffer) => (complaint = (complaint + bytes.toString()).slice(0, 1000)))
  child.stdin?.on('error', () => undefined)
  child.once('error', reject)
  child.once('close', () => reject(new Error(complaint.trim() || 'unshare(1) ended early')))
  child.stdout?.once('data', () => resolve(child.pid ?? 0))
  child.stdin?.write('.')
  return await promise
}

/** All at once: the file takes a single write. */
function rowsOf(ranges: readonly IdRange[]): string {
  return ranges.map(({ insideId, outsideId, count }) => `${insideId} ${outsideId} ${count}\n`).join('')
}
