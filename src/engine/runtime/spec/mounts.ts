import type { RuntimeMount } from '#oci/runtime-spec'

import type { RuntimeSpecInput } from './input.ts'

/** What every container finds below /proc, /dev and /sys. The privileged may write where others may only read. */
function defaultMounts(shmBytes: number, isPrivileged: boolean): readonly RuntimeMount[] {
  const access = isPrivileged ? [] : ['ro']
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', ...access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', ...access] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shmBytes}`],
    },
  ]
}

/** Defaults first, the caller's in place of theirs, and every mount point after those it lies in. */
export function planMounts(
  input: Pick<RuntimeSpecInput, 'mounts' | 'shmBytes' | 'shmSource' | 'security'>,
): readonly RuntimeMount[] {
  const taken = new Set(input.mounts.map((mount) => trim(mount.destination)))
  const defaults = defaultMounts(input.shmBytes, input.security.isPrivileged)
    .flatMap((mount) => (mount.destination === SHM_TARGET ? sharedMemory(mount, input.shmSource) : [mount]))
    .filter((mount) => !taken.has(mount.destination))
  return [...defaults, ...input.mounts].toSorted((a, b) => depth(a.destination) - depth(b.destination))
}

const SHM_TARGET = '/dev/shm'

/** POSIX shared memory goes with the IPC namespace: its own, another's, or none. */
function sharedMemory(own: RuntimeMount, source: string | null | undefined): readonly RuntimeMount[] {
  if (source === undefined) return [own]
  if (source === null) return []
  return [{ destination: SHM_TARGET, type: 'bind', source, options: ['rbind', 'rprivate', 'nosuid', 'noexec', 'nodev', 'rw'] }]
}

function trim(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length
}

/** A mount can pass on events only if the root it lies in does. */
export function rootfsPropagation(mounts: readonly RuntimeMount[]): 'private' | 'slave' | 'shared' {
  const has = (...names: readonly string[]) => mounts.some((mount) => mount.options?.some((option) => names.includes(option)))
  if (has('shared', 'rshared')) return 'shared'
  return has('slave', 'rslave') ? 'slave' : 'private'
}

/** Tell of the machine, or would let the container act on it. */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]

export const READONLY_PATHS: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export function protectedPaths({ security }: Pick<RuntimeSpecInput, 'security'>) {
  const fallback = (paths: readonly string[]) => (security.isPrivileged ? [] : paths)
  return {
    maskedPaths: security.maskedPaths ?? fallback(MASKED_PATHS),
    readonlyPaths: security.readonlyPaths ?? fallback(READONLY_PATHS),
  }
}
