import type { CgroupMode } from './port-cgroups.ts'

/** Processes by identity, not by number: a pid that was given out again is another process. */
export interface ProcessPort {
  /** Undefined when there is no such process (a zombie counts as gone). */
  identity(pid: number): ProcessIdentity | undefined
  isAlive(identity: ProcessIdentity): boolean
  /** False when the process was gone already. Uses a pidfd, so a reused pid is never hit. */
  signal(identity: ProcessIdentity, signo: number): boolean
  /** Calls back once, on a later tick, when the process has ended (also when it is gone already). Any process, not only a child. */
  watchExit(identity: ProcessIdentity, onExit: () => void): Disposable
  /** For `top`: read from /proc; processes that end meanwhile are left out. */
  details(pids: readonly number[]): readonly ProcessDetails[]
}

/** Start time in clock ticks since boot (field 22 of proc_pid_stat(5)) tells apart processes with one pid. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: number
}

export interface ProcessDetails {
  readonly pid: number
  readonly parentPid: number
  /** Innermost pid, as the process sees itself. */
  readonly namespacePid: number
  readonly uid: number
  readonly gid: number
  /** Name of the uid in the host's /etc/passwd, else the number. */
  readonly user: string
  /** One letter: R, S, D, Z, T ... */
  readonly state: string
  readonly threads: number
  readonly cpuMs: number
  readonly startedAtMs: number
  readonly rssBytes: number
  readonly virtualBytes: number
  /** Device number of the controlling terminal, 0 for none. */
  readonly terminal: number
  readonly commandName: string
  /** Empty for kernel threads. */
  readonly commandLine: readonly string[]
}

export interface KernelPort {
  facts(): KernelFacts
  getIpForward(): { readonly ipv4: boolean; readonly ipv6: boolean }
  setIpForward(family: 4 | 6, isOn: boolean): void
  /** Lets packets to 127.0.0.0/8 be routed over this link: published ports on loopback need it. */
  setRouteLocalnet(link: string, isOn: boolean): void
  /** Reads a sysctl by its dotted name; undefined when the kernel lacks it. */
  readSysctl(name: string, netnsPin?: string): string | undefined
  writeSysctl(name: string, value: string, netnsPin?: string): void
}

export interface KernelFacts {
  /** `6.18.44` */
  readonly release: string
  readonly architecture: string
  readonly bootId: string
  readonly bootTimeMs: number
  readonly hostname: string
  readonly memoryBytes: number
  readonly swapBytes: number
  readonly cpus: number
  readonly cgroupMode: CgroupMode
  /** From /proc/filesystems; a module that is not loaded is absent. */
  readonly fileSystems: readonly string[]
  /** Effective capabilities of this process, `CAP_SYS_ADMIN` style. */
  readonly capabilities: readonly string[]
  /** Bounding set. */
  readonly boundingCapabilities: readonly string[]
  /** Soft and hard limits of this process; Infinity for unlimited. By RLIMIT name in lower case: `nofile`. */
  readonly rlimits: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>
  /** br_netfilter hands bridged packets to iptables and nft. */
  readonly hasBridgeNetfilter: boolean
  readonly hasSeccomp: boolean
  readonly hasAppArmor: boolean
  readonly hasSelinux: boolean
}
