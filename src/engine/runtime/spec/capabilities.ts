import type { RuntimeCapabilities } from '#oci/runtime-spec'

import { specError } from './errors.ts'
import type { SecurityInput } from './input.ts'

/** Names without their prefix, linux/capability.h. */
const KNOWN = new Set(
  `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST
  NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
  SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
  BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`.split(/\s+/),
)

/** What a container has unless it is told otherwise: enough for packages to install themselves and servers to change their user. */
const DEFAULT: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
].map((name) => `CAP_${name}`)

/**
 * The capabilities that a container may have: the default ones without those dropped and with those added; `ALL` stands for all that
 * the daemon has. Nobody can be given what the daemon itself lacks: that would fail the start, so it is left out.
 */
export function containerCapabilities(
  security: Pick<SecurityInput, 'isPrivileged' | 'capAdd' | 'capDrop'>,
  hostCapabilities: readonly string[],
): readonly string[] {
  const add = security.capAdd.map(normalize)
  const drop = security.capDrop.map(normalize)
  if (security.isPrivileged) return hostCapabilities
  const start = drop.includes('ALL') ? [] : add.includes('ALL') ? hostCapabilities : DEFAULT
  const kept = start.filter((name) => !drop.includes(name))
  const added = drop.includes('ALL') && add.includes('ALL') ? hostCapabilities : add.filter((name) => name !== 'ALL')
  return [...new Set([...kept, ...added])].filter((name) => hostCapabilities.includes(name))
}

/** Who is not root gets them only by executing a program that has them: they bound, but are not held. */
export function processCapabilities(capabilities: readonly string[], uid: number): RuntimeCapabilities {
  if (uid !== 0) return { bounding: capabilities }
  return { bounding: capabilities, effective: capabilities, permitted: capabilities }
}

function normalize(name: string): string {
  const upper = name.toUpperCase()
  if (upper === 'ALL') return upper
  const bare = upper.replace(/^CAP_/, '')
  if (!KNOWN.has(bare))
    throw specError('spec.invalid', `unknown capability ${JSON.stringify(name)}`, {
      hint: 'Names are those of capabilities(7), such as NET_ADMIN.',
    })
  return `CAP_${bare}`
}
