/**
 * `config.json` of a bundle: the parts of the OCI runtime specification 1.0.2 that we write, under the specification's own names.
 * `domainname` is of 1.1. Numbers that a double cannot hold are bigints: write with `encodeRuntimeSpec`.
 */
export interface RuntimeSpec {
  readonly ociVersion: string
  readonly process: RuntimeProcess
  readonly root: { readonly path: string; readonly readonly?: boolean }
  readonly hostname?: string
  readonly domainname?: string
  readonly mounts: readonly RuntimeMount[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly linux: RuntimeLinux
}

/** The `process` object; by itself it is what an exec takes. */
export interface RuntimeProcess {
  readonly terminal?: boolean
  readonly consoleSize?: { readonly height: number; readonly width: number }
  readonly user: {
    readonly uid: number
    readonly gid: number
    readonly additionalGids?: readonly number[]
    readonly umask?: number
  }
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities?: RuntimeCapabilities
  readonly rlimits?: readonly RuntimeRlimit[]
  readonly noNewPrivileges?: boolean
  readonly apparmorProfile?: string
  readonly oomScoreAdj?: number
}

export interface RuntimeCapabilities {
  readonly bounding?: readonly string[]
  readonly effective?: readonly string[]
  readonly permitted?: readonly string[]
  readonly inheritable?: readonly string[]
  readonly ambient?: readonly string[]
}

export interface RuntimeRlimit {
  /** `RLIMIT_NOFILE` */
  readonly type: string
  readonly soft: number | bigint
  readonly hard: number | bigint
}

export interface RuntimeMount {
  readonly destination: string
  readonly type?: string
  readonly source?: string
  readonly options?: readonly string[]
}

export interface RuntimeLinux {
  readonly namespaces: readonly RuntimeNamespace[]
  readonly cgroupsPath?: string
  readonly resources?: RuntimeResources
  readonly devices?: readonly RuntimeDevice[]
  readonly sysctl?: Readonly<Record<string, string>>
  readonly seccomp?: RuntimeSeccomp
  readonly maskedPaths?: readonly string[]
  readonly readonlyPaths?: readonly string[]
  readonly rootfsPropagation?: 'private' | 'slave' | 'shared' | 'unbindable'
}

export type RuntimeNamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup'

export interface RuntimeNamespace {
  readonly type: RuntimeNamespaceType
  /** Of an existing one to join. */
  readonly path?: string
}

export interface RuntimeDevice {
  readonly path: string
  readonly type: 'c' | 'b' | 'u' | 'p'
  readonly major?: number
  readonly minor?: number
  readonly fileMode?: number
  readonly uid?: number
  readonly gid?: number
}

export interface RuntimeDeviceRule {
  readonly allow: boolean
  readonly type?: 'a' | 'b' | 'c'
  readonly major?: number
  readonly minor?: number
  readonly access?: string
}

export interface RuntimeResources {
  readonly devices?: readonly RuntimeDeviceRule[]
  readonly memory?: {
    readonly limit?: number
    readonly reservation?: number
    readonly swap?: number
    readonly disableOOMKiller?: boolean
    readonly swappiness?: number
  }
  readonly cpu?: {
    readonly shares?: number
    readonly quota?: number
    readonly period?: number
    readonly realtimeRuntime?: number
    readonly realtimePeriod?: number
    readonly cpus?: string
    readonly mems?: string
  }
  readonly pids?: { readonly limit: number }
  readonly blockIO?: RuntimeBlockIo
}

export interface RuntimeBlockIo {
  readonly weight?: number
  readonly weightDevice?: readonly { readonly major: number; readonly minor: number; readonly weight: number }[]
  readonly throttleReadBpsDevice?: readonly RuntimeThrottle[]
  readonly throttleWriteBpsDevice?: readonly RuntimeThrottle[]
  readonly throttleReadIOPSDevice?: readonly RuntimeThrottle[]
  readonly throttleWriteIOPSDevice?: readonly RuntimeThrottle[]
}

export interface RuntimeThrottle {
  readonly major: number
  readonly minor: number
  readonly rate: number
}

export interface RuntimeSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly syscalls?: readonly RuntimeSyscall[]
}

export interface RuntimeSyscall {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly RuntimeSyscallArgument[]
}

export interface RuntimeSyscallArgument {
  readonly index: number
  readonly value: number | bigint
  readonly valueTwo?: number | bigint
  readonly op: string
}

/** RLIM_INFINITY of 64-bit Linux. */
export const UNLIMITED = 0xffff_ffff_ffff_ffffn

/** JSON text in which bigints are plain numbers. */
export function encodeRuntimeSpec(value: RuntimeSpec | RuntimeProcess): string {
  return JSON.stringify(value, (_key, field: unknown) => (typeof field === 'bigint' ? rawNumber(field) : field))
}

/** ECMAScript's JSON.rawJSON, which the library types do not know yet. */
function rawNumber(value: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString())
}
