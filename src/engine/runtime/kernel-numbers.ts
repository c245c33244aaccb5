import { runtimeError } from './errors.ts'

/** linux/capability.h: a capability's number is its place. */
const CAPABILITIES = `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
  SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
  BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .split(/\s+/)
  .map((name) => `CAP_${name}`)

/** asm-generic/resource.h, likewise. */
const RLIMITS = 'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'.split(' ')

/** linux/seccomp.h: flags that change how a filter is loaded. */
const FILTER_FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
}

/** Hexadecimal, a bit for each. */
export function capabilityMask(names: readonly string[] = []): string {
  let mask = 0n
  for (const name of names) mask |= 1n << BigInt(placeIn(CAPABILITIES, name, 'capability'))
  return mask.toString(16)
}

/** `RLIMIT_NOFILE` → 7. */
export function rlimitNumber(name: string): number {
  return placeIn(RLIMITS, name.replace(/^RLIMIT_/, ''), 'resource limit')
}

/** What crun takes when a profile names none is to trust the processor's own protection. */
export function filterFlags(names: readonly string[]): number {
  if (names.length === 0) return 4
  return names.reduce((all, name) => all | (FILTER_FLAGS[name] ?? unknown('flag of a seccomp filter', name)), 0)
}

function placeIn(names: readonly string[], name: string, what: string): number {
  const place = names.indexOf(name)
  return place < 0 ? unknown(what, name) : place
}

function unknown(what: string, name: string): never {
  throw runtimeError('runtime.start_failed', `unknown ${what} ${JSON.stringify(name)}`, { details: { exitCode: 126 } })
}
