import type { CgroupFacts, ForwardFacts } from './facts.ts'

/** Readers of what the kernel and programs say. Pure. */

/** From proc_pid_mountinfo(5) and /proc/cgroups (v1) or cgroup.controllers (v2). */
export function readCgroups(mountinfo: string, v1Table: string, v2Controllers: string): CgroupFacts {
  const mounts = mountinfo.split('\n').map((line) => ({
    point: line.split(' ')[4] ?? '',
    type: line.split(' - ')[1]?.split(' ')[0] ?? '',
    options: line.split(' ').at(-1) ?? '',
  }))
  const hasV2 = mounts.some((mount) => mount.type === 'cgroup2')
  const isV2Root = mounts.some((mount) => mount.type === 'cgroup2' && mount.point === '/sys/fs/cgroup')
  const v1 = mounts.filter((mount) => mount.type === 'cgroup')
  if (isV2Root)
    return {
      mode: 'v2',
      controllers: v2Controllers
        .trim()
        .split(/\s+/)
        .filter((name) => name !== ''),
    }
  if (v1.length === 0) return { mode: 'none', controllers: [] }
  const enabled = v1Table
    .split('\n')
    .filter((line) => !line.startsWith('#') && line.trim().endsWith('1'))
    .map((line) => line.split('\t')[0] ?? '')
  const mounted = new Set(v1.flatMap((mount) => mount.options.split(',')))
  return { mode: hasV2 ? 'hybrid' : 'v1', controllers: enabled.filter((name) => mounted.has(name)) }
}

/** In the order of capability(7) as numbered in the kernel's uapi. */
const CAPABILITIES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
    .split(' ')
    .map((name) => `CAP_${name}`)

/** From the `CapEff` line of /proc/self/status. */
export function readCapabilities(status: string): readonly string[] {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return CAPABILITIES.filter((_, bit) => (mask >> BigInt(bit)) & 1n)
}

export function readHardLimit(limits: string, name: string): number {
  const line = limits.split('\n').find((text) => text.startsWith(name))
  const hard = line?.slice(name.length).trim().split(/\s+/)[1]
  return hard === undefined ? 0 : hard === 'unlimited' ? Infinity : Number(hard)
}

/** Registered, or brought by a module that modprobe would find. */
export function readFileSystems(registered: string, modules: string, builtin: string): readonly string[] {
  const now = registered.split('\n').map((line) => line.split('\t')[1] ?? '')
  const loadable = [...`${modules}\n${builtin}`.matchAll(/^kernel\/fs\/([^/:\s]+)\/[^:\s]*\.ko/gm)].map((match) =>
    match[1] === 'overlayfs' ? 'overlay' : (match[1] ?? ''),
  )
  return [...new Set([...now, ...loadable])].filter((name) => name !== '')
}

export function readKernelOption(config: string | null, option: string): boolean | null {
  if (config === null) return null
  return new RegExp(`^${option}=[ym]$`, 'm').test(config)
}

export function readCrunVersion(output: string | null): string | null {
  return /crun version (\d+(?:\.\d+)*)/.exec(output ?? '')?.[1] ?? null
}

interface NftChain {
  readonly chain?: { readonly table?: string; readonly name?: string; readonly hook?: string; readonly policy?: string }
}

/** From `nft -j list chains`, and `iptables-legacy -S` where the old iptables was used: nft does not show its tables. */
export function readForward(output: string | null, legacy: string | null): ForwardFacts | null {
  if (legacy !== null && /^-P FORWARD DROP$/m.test(legacy))
    return { isDrop: true, table: 'filter', hasDockerUser: /^-N DOCKER-USER$/m.test(legacy) }
  if (output === null) return null
  let parsed: { readonly nftables?: readonly NftChain[] }
  try {
    parsed = JSON.parse(output) as typeof parsed
  } catch {
    return null
  }
  const chains = (parsed.nftables ?? []).flatMap((item) => item.chain ?? [])
  const dropping = chains.find((chain) => chain.hook === 'forward' && chain.policy === 'drop')
  return {
    isDrop: dropping !== undefined,
    table: dropping?.table ?? '',
    hasDockerUser: chains.some((chain) => chain.name === 'DOCKER-USER'),
  }
}

export function readNameservers(resolvConf: string): readonly string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '')
}

/** `MemAvailable` of proc_meminfo(5), in bytes. */
export function readAvailableMemory(meminfo: string): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024
}

/** Negative, zero or positive, as a sort wants it. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0))
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i += 1) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
