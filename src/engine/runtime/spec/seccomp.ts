import type { RuntimeSeccomp, RuntimeSyscall, RuntimeSyscallArgument } from '#oci/runtime-spec'

import { architecturesOf } from './architectures.ts'
import type { SecurityInput, SpecHostFacts } from './input.ts'
import { ALLOWED_CALLS, CAPABILITY_CALLS, DENIED_CALLS } from './seccomp-calls.ts'
import { readSeccompProfile } from './seccomp-profile.ts'

const EPERM = 1
const ENOSYS = 38

/** linux/socket.h. The kernel's own cryptography, and the way past the network to hypervisor and neighbours. */
const AF_ALG = 38
const AF_VSOCK = 40
/** Above AF_VSOCK, each by itself: a mere "greater than" would compare 64 bits, of which the kernel takes 32. */
const LAST_FAMILIES = [41, 42, 43, 44, 45]

/** sched.h: new mount, cgroup, UTS, IPC, user, process and network namespace. */
const NAMESPACE_FLAGS = [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
const ALL_NAMESPACE_FLAGS = NAMESPACE_FLAGS.reduce((all, flag) => all + flag, 0)

/** sys/personality.h: Linux, 32-bit Linux, both with the old uname; and the question which one it is. */
const PERSONALITIES = [0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff]
const ADDR_NO_RANDOMIZE = 0x004_0000

/** Undefined: not confined. */
export function planSeccomp(
  security: SecurityInput,
  capabilities: readonly string[],
  host: SpecHostFacts,
): RuntimeSeccomp | undefined {
  if (security.seccomp === 'unconfined') return undefined
  if (security.seccomp !== 'default') return readSeccompProfile(security.seccomp, capabilities, host)
  return security.isPrivileged || !host.hasSeccomp ? undefined : defaultProfile(capabilities, host.architecture)
}

/**
 * Allows what containers need and answers EPERM to what they must not do. A call that nobody knows, because it is newer than this
 * list or than libseccomp, is answered ENOSYS, so that programs fall back to older ones. Depends on the capabilities alone.
 */
export function defaultProfile(capabilities: readonly string[], architecture: string): RuntimeSeccomp {
  const granted = Object.entries(CAPABILITY_CALLS).flatMap(([name, calls]) => (capabilities.includes(name) ? calls : []))
  const allowed = [...new Set([...ALLOWED_CALLS, ...granted])]
  const conditional = capabilities.includes('CAP_SYS_ADMIN') ? [] : ['clone', 'clone3']
  const known = new Set([...DENIED_CALLS, ...Object.values(CAPABILITY_CALLS).flat()])
  const denied = [...known].filter((name) => !allowed.includes(name) && !conditional.includes(name))
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: architecturesOf(architecture),
    syscalls: [
      allow(allowed),
      deny(denied),
      ...socketRules(),
      ...personalityRules(),
      ...(conditional.length === 0 ? [] : cloneRules()),
    ],
  }
}

function allow(names: readonly string[], argument?: RuntimeSyscallArgument): RuntimeSyscall {
  return { names, action: 'SCMP_ACT_ALLOW', ...(argument === undefined ? {} : { args: [argument] }) }
}

function deny(names: readonly string[], argument?: RuntimeSyscallArgument): RuntimeSyscall {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM, ...(argument === undefined ? {} : { args: [argument] }) }
}

const equals = (value: number): RuntimeSyscallArgument => ({ index: 0, op: 'SCMP_CMP_EQ', value })

function socketRules(): readonly RuntimeSyscall[] {
  const below: RuntimeSyscallArgument = { index: 0, op: 'SCMP_CMP_LT', value: AF_ALG }
  const between = Array.from({ length: AF_VSOCK - AF_ALG - 1 }, (_, i) => AF_ALG + 1 + i)
  return [
    allow(['socket'], below),
    ...[...between, ...LAST_FAMILIES].map((family) => allow(['socket'], equals(family))),
    ...[AF_ALG, AF_VSOCK].map((family) => deny(['socket'], equals(family))),
  ]
}

function personalityRules(): readonly RuntimeSyscall[] {
  return [
    ...PERSONALITIES.map((value) => allow(['personality'], equals(value))),
    // Asked for by debuggers, which go on without it when they are refused.
    deny(['personality'], equals(ADDR_NO_RANDOMIZE)),
  ]
}

/** Processes and threads, but no namespaces. clone3 hides its flags behind a pointer: ENOSYS makes programs take clone. */
function cloneRules(): readonly RuntimeSyscall[] {
  const masked = (mask: number, value: number): RuntimeSyscallArgument => ({
    index: 0,
    op: 'SCMP_CMP_MASKED_EQ',
    value: mask,
    valueTwo: value,
  })
  return [allow(['clone'], masked(ALL_NAMESPACE_FLAGS, 0)), ...NAMESPACE_FLAGS.map((flag) => deny(['clone'], masked(flag, flag)))]
}
