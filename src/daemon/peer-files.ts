import { closeSync, constants, lstatSync, openSync, statfsSync, statSync, type BigIntStats } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

import type { Clock } from '#base'
import type { ScanMemories, SourceFiles } from '#cli'
import type { SocketPeer } from '#host'

import { daemonError } from './errors.ts'

/** Others are served between two slices of a long look at files. */
const SLICE_MS = 4
/** File systems whose answers come from this machine: a server that is away must not make the daemon wait. Numbers of statfs(2). */
const LOCAL: ReadonlySet<number> = new Set([
  ...[0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0xf2f5_2010, 0x2fc1_2fc1, 0x858458f6, 0xe0f5_e1e2],
  ...[0xca45_1a4e, 0x4d44, 0x2011_bab0, 0x3153_464a, 0x5265_4973],
])

/**
 * The files of a process at the other end of a connection, as it sees them: through its own root, and so with its mounts. undefined when its root
 * is not ours, or when it is not root, who alone may have the daemon read anything. Dispose of it after the last file.
 */
export function peerFiles(
  peer: SocketPeer,
  { clock, memories }: { readonly clock: Pick<Clock, 'monotonicMs'>; readonly memories: ScanMemories },
): (SourceFiles & Disposable) | undefined {
  if (peer.uid !== 0) return undefined
  const root = openedRoot(peer.pid)
  if (root === undefined) return undefined
  let sliceMs = clock.monotonicMs()
  return {
    at: (path) => {
      const place = `/proc/self/fd/${root}${path}`
      const theirs = lookedAt(place)
      if (isSame(lookedAt(path), theirs) && (theirs === undefined || isPlain(place, theirs))) return place
      throw daemonError('daemon.files_out_of_sight', `${path} is not the same for the caller and for the daemon`)
    },
    remembered: (directory) => memories.of(directory),
    turn: () => {
      if (clock.monotonicMs() - sliceMs < SLICE_MS) return undefined
      return setImmediate().then(() => {
        sliceMs = clock.monotonicMs()
      })
    },
    [Symbol.dispose]: () => closeSync(root),
  }
}

/**
 * The root of a process, which stays what it is when the process ends and its number is another's. Of a process in a container, or below another
 * root, it is another directory than ours; its links would then lead out of it.
 */
function openedRoot(pid: number): number | undefined {
  try {
    const fd = openSync(`/proc/${pid}/root`, constants.O_RDONLY | constants.O_DIRECTORY)
    if (isSame(statSync('/', { bigint: true }), statSync(`/proc/self/fd/${fd}`, { bigint: true }))) return fd
    closeSync(fd)
  } catch {
    // Out of sight, or gone.
  }
  return undefined
}

function lookedAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })
}

/** Both views of a path: a disk that was mounted since the daemon's start may be in one of them only. */
function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one?.dev === other?.dev && one?.ino === other?.ino
}

/** Links are followed in the view of whoever follows them; pipes keep their reader waiting. */
function isPlain(place: string, stats: BigIntStats): boolean {
  return (stats.isFile() || stats.isDirectory()) && LOCAL.has(statfsSync(place).type)
}
