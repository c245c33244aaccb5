import { systemClock } from '#base'
import type { Clock } from '#base'
import { linuxCgroups } from './cgroups.ts'
import { linuxFiles } from './files.ts'
import { linuxForwarding } from './forwarding.ts'
import { linuxKernel } from './kernel.ts'
import { linuxLinks } from './links.ts'
import { linuxMounts } from './mounts.ts'
import { linuxNamespaces } from './namespaces.ts'
import { linuxNetfilter } from './netfilter.ts'
import { linuxNftables } from './nftables.ts'
import type { Host } from './port.ts'
import { linuxProcesses } from './processes.ts'
import { linuxSockets } from './sockets.ts'
import { lazySyscalls } from './syscalls.ts'

export interface LinuxHostOptions {
  readonly clock?: Clock
  /** A cgroup path of this instance for the host's own two small groups, default `/glovebox-<pid>`. */
  readonly cgroupPath?: string
}

/** The real thing. Cheap to make: it loads nothing and reads only the mount table, and that when cgroups are first used. */
export function linuxHost({ clock = systemClock(), cgroupPath = `/glovebox-${process.pid}` }: LinuxHostOptions = {}): Host {
  const calls = lazySyscalls()
  const mounts = linuxMounts(calls)
  const namespaces = linuxNamespaces(calls, mounts)
  const nftables = linuxNftables()
  const processes = linuxProcesses(calls, clock)
  let cgroups: ReturnType<typeof linuxCgroups> | undefined
  const getCgroups = () => (cgroups ??= linuxCgroups({ mounts, clock, killListed: processes.killListed, ownPath: cgroupPath }))
  return {
    mounts,
    namespaces,
    links: linuxLinks(calls, namespaces),
    nftables,
    forwarding: linuxForwarding(nftables),
    netfilter: linuxNetfilter(calls, namespaces),
    get cgroups() {
      return getCgroups()
    },
    processes,
    files: linuxFiles(calls),
    sockets: linuxSockets(calls, namespaces),
    kernel: linuxKernel({ namespaces, cgroupMode: () => getCgroups().mode }),
    [Symbol.dispose]: () => cgroups?.[Symbol.dispose](),
  }
}
