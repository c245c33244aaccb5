import { closeSync, constants, openSync, readlinkSync, rmSync, statfsSync } from 'node:fs'

import { systemCodeOf } from '#base'
import { errnoError, hostError } from './errors.ts'
import type { MountPort } from './port-mounts.ts'
import type { NamespacePort, ProcessNamespaces } from './port-network.ts'
import type { LazySyscalls } from './syscalls.ts'

const CLONE_NEWNET = 0x40000000
const MS_BIND = 4096
/** linux/magic.h */
const NSFS_MAGIC = 0x6e736673
const KINDS = ['pid', 'mnt', 'net', 'uts', 'ipc', 'user', 'cgroup'] as const

export function linuxNamespaces(calls: LazySyscalls, mounts: MountPort): NamespacePort {
  const inOwn = <T>(work: (home: number) => T): T => {
    // Only the calling thread changes, so it is the thread's own link that counts and not the process's.
    const home = openSync('/proc/thread-self/ns/net', constants.O_RDONLY)
    try {
      return work(home)
    } finally {
      closeSync(home)
    }
  }
  const enter = (fd: number, what: string) => {
    if (calls().setns(fd, CLONE_NEWNET) !== 0) throw errnoError('host.namespace_failed', what, calls().errno())
  }
  const comeBack = (home: number) => {
    if (calls().setns(home, CLONE_NEWNET) === 0) return
    // Everything done from here on would happen to a container's network: no daemon is better than that one.
    process.stderr.write('cannot return to the network namespace of the daemon\n')
    process.abort()
  }
  const bindNamespace = (source: string, pinPath: string) => {
    if (calls().mount(source, pinPath, null, MS_BIND, null) === 0) return
    throw errnoError('host.namespace_failed', `pin the network namespace ${source} at ${pinPath}`, calls().errno())
  }
  const withPinFile = (pinPath: string, work: () => void) => {
    closeSync(openPin(pinPath, 'make', constants.O_RDONLY | constants.O_CREAT | constants.O_EXCL))
    try {
      work()
    } catch (error) {
      rmSync(pinPath, { force: true })
      throw error
    }
  }
  return {
    createNetwork: (pinPath) =>
      withPinFile(pinPath, () =>
        inOwn((home) => {
          if (calls().unshare(CLONE_NEWNET) !== 0)
            throw errnoError('host.namespace_failed', `create a network namespace for ${pinPath}`, calls().errno())
          try {
            bindNamespace('/proc/thread-self/ns/net', pinPath)
          } finally {
            comeBack(home)
          }
        }),
      ),
    pinNetworkOf: (pid, pinPath) => withPinFile(pinPath, () => bindNamespace(`/proc/${pid}/ns/net`, pinPath)),
    isPinned: (pinPath) => {
      try {
        return statfsSync(pinPath).type === NSFS_MAGIC
      } catch (error) {
        if (systemCodeOf(error) === 'ENOENT') return false
        throw error
      }
    },
    removeNetwork: (pinPath) => {
      mounts.unmount(pinPath, { lazy: true })
      rmSync(pinPath, { force: true })
    },
    inNetwork: (pinPath, work) =>
      inOwn((home) => {
        const target = openPin(pinPath, 'enter', constants.O_RDONLY)
        try {
          enter(target, `enter the network namespace ${pinPath}`)
        } finally {
          closeSync(target)
        }
        try {
          return work()
        } finally {
          comeBack(home)
        }
      }),
    read: (pid) => readNamespaces(pid),
  }
}

function openPin(pinPath: string, doing: string, flags: number): number {
  try {
    return openSync(pinPath, flags, 0o444)
  } catch (error) {
    const errno = systemCodeOf(error) ?? 'EIO'
    throw hostError('host.namespace_failed', `${doing} the network namespace ${pinPath}: ${errno}`, {
      cause: error,
      details: { errno },
    })
  }
}

function readNamespaces(pid: number): ProcessNamespaces | undefined {
  try {
    const entries = KINDS.map((kind) => [kind, readlinkSync(`/proc/${pid}/ns/${kind}`)] as const)
    return Object.fromEntries(entries) as Record<(typeof KINDS)[number], string>
  } catch {
    // The process ended, before or between the reads.
    return undefined
  }
}
