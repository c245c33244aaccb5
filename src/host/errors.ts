import { constants } from 'node:os'

import { declareErrors } from '#base'
import type { GloveboxError } from '#base'

/** Every error of the host carries `details.errno`, the name of the errno (`EPERM`), when a system call failed. */
export const hostError = declareErrors({
  'host.mount_failed': 'internal',
  'host.namespace_failed': 'internal',
  'host.link_failed': 'internal',
  'host.nftables_failed': 'internal',
  'host.cgroup_failed': 'internal',
  'host.cgroup_timeout': 'timeout',
  'host.process_failed': 'internal',
  'host.file_failed': 'internal',
  'host.file_not_found': 'not_found',
  'host.socket_failed': 'internal',
  'host.address_in_use': 'conflict',
  'host.address_not_available': 'invalid',
  'host.sysctl_failed': 'internal',
  'host.denied': 'denied',
  'host.unsupported': 'unsupported',
})

export type HostErrorCode = keyof typeof hostError.codes

/** Errnos whose meaning is the same wherever they appear. */
const CODE_OF_ERRNO: Readonly<Record<string, HostErrorCode>> = {
  EPERM: 'host.denied',
  ENOSYS: 'host.unsupported',
}

const HINT_OF_ERRNO: Readonly<Record<string, string>> = {
  EPERM: 'Run the daemon as root with the capabilities it needs; `doctor` lists those that are missing.',
  ENOSYS: 'The kernel is too old for this call.',
  EMFILE: 'The process has no descriptors left: raise its nofile limit.',
  ENOSPC: 'The file system is full or out of inodes.',
}

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

/** `ENOENT` for 2. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`
}

/** `mount erofs /a on /b: EINVAL`, in the code that fits the errno best. */
export function errnoError(code: HostErrorCode, what: string, errno: number, note?: string): GloveboxError {
  const name = errnoName(errno)
  const hint = HINT_OF_ERRNO[name]
  return hostError(CODE_OF_ERRNO[name] ?? code, `${what}: ${name}${note === undefined || note === '' ? '' : ` (${note})`}`, {
    details: { errno: name },
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The errno name that an error of the host carries. */
export function errnoOf(error: unknown): string | undefined {
  const details = error instanceof Error && 'details' in error ? error.details : undefined
  const errno = typeof details === 'object' && details !== null && 'errno' in details ? details.errno : undefined
  return typeof errno === 'string' ? errno : undefined
}
