import type { Readable, Writable } from 'node:stream'

import type { ContainerId, ExecId } from '#base'
import type { LogEntry, LogReadOptions } from '#engine/logs'

import type { ContainerRecord } from './record.ts'
import type { ContainerSpec, EndpointSpec, MemoryFileSpec, ResourceSpec, RestartSpec } from './spec.ts'

/** `ref` everywhere below: a full id, an unambiguous prefix of one, or a name (with or without a leading slash). Errors: `container.not_found`, `container.ambiguous`. */
export interface Containers {
  /**
   * `memoryFiles` are never written to a disk and never shown: they go with the container, with the daemon's own end, and with a restart of the machine.
   * Errors: `container.memory_file_invalid`, `container.memory_files_full`.
   */
  create(
    spec: ContainerSpec,
    name: string | null,
    memoryFiles?: readonly MemoryFile[],
  ): Promise<{ readonly id: ContainerId; readonly warnings: readonly string[] }>
  get(ref: string): ContainerRecord
  /** Where its files are on the host. */
  files(ref: string): ContainerFiles
  /** Newest first. */
  list(): readonly ContainerRecord[]
  /** Running already: resolves to false. */
  start(ref: string, options?: { readonly detachKeys?: string }): Promise<boolean>
  /** Not running: resolves to false. `timeoutS` -1 waits for ever; null takes the container's own. */
  stop(ref: string, options: { readonly signal: string | null; readonly timeoutS: number | null }): Promise<boolean>
  restart(ref: string, options: { readonly signal: string | null; readonly timeoutS: number | null }): Promise<void>
  /** `signal` as a name (with or without SIG) or a number. */
  kill(ref: string, signal: string): Promise<void>
  pause(ref: string): Promise<void>
  unpause(ref: string): Promise<void>
  remove(ref: string, options: { readonly force: boolean; readonly volumes: boolean }): Promise<void>
  rename(ref: string, name: string): Promise<void>
  update(
    ref: string,
    change: { readonly resources: Partial<ResourceSpec>; readonly restart: RestartSpec | null },
  ): Promise<readonly string[]>
  /** The promise inside resolves when the condition comes true, and to null when the signal comes first; the outer one when the waiter is in place. */
  wait(
    ref: string,
    condition: 'not-running' | 'next-exit' | 'removed',
    signal?: AbortSignal,
  ): Promise<{ readonly done: Promise<{ readonly exitCode: number; readonly error: string } | null> }>
  attach(ref: string, options: AttachOptions): Promise<AttachStream>
  resize(ref: string, size: { readonly rows: number; readonly columns: number }): Promise<void>
  logs(ref: string, options: LogReadOptions): AsyncIterable<LogEntry>
  top(ref: string): Promise<readonly TopProcess[]>
  stats(ref: string): Promise<ContainerUsage>
  /** Bytes of the writable layer, and of everything under the root. */
  size(ref: string): Promise<{ readonly rwBytes: number; readonly rootFsBytes: number }>
  changes(ref: string): Promise<readonly { readonly path: string; readonly kind: 'modified' | 'added' | 'deleted' }[]>
  /** The whole file system as a tar. */
  export(ref: string): Promise<Readable>
  /** Joins or leaves a network, running or not. */
  connect(ref: string, network: string, endpoint: EndpointSpec): Promise<void>
  disconnect(ref: string, network: string): Promise<void>
  /** Takes away the name by which it knows another container on the default network. Error: `container.link_not_found`. */
  removeLink(ref: string, alias: string): Promise<void>
  exec: Execs
}

export interface MemoryFile extends MemoryFileSpec {
  readonly content: Uint8Array
}

/** Paths on the host; empty where there is no such file. */
export interface ContainerFiles {
  readonly log: string
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

export interface Execs {
  create(ref: string, spec: ExecSpec): Promise<ExecId>
  get(id: string): ExecRecord
  /** Those of one container that have not ended. */
  list(ref: string): readonly ExecRecord[]
  /** Starts it with the streams wired before its first byte. Detached: resolves once it runs, with null. */
  start(
    id: string,
    options: { readonly detach: boolean; readonly hasTty: boolean; readonly consoleSize: readonly [number, number] | null },
  ): Promise<AttachStream | null>
  resize(id: string, size: { readonly rows: number; readonly columns: number }): Promise<void>
}

export interface ExecSpec {
  readonly cmd: readonly string[]
  readonly env: readonly string[]
  readonly workingDir: string
  readonly user: string
  readonly hasTty: boolean
  readonly isPrivileged: boolean
  readonly attachStdin: boolean
  readonly attachStdout: boolean
  readonly attachStderr: boolean
  readonly detachKeys: string
  /** Of the terminal, unless the start says another one. */
  readonly consoleSize?: readonly [rows: number, columns: number]
}

export interface ExecRecord {
  readonly id: ExecId
  readonly containerId: ContainerId
  readonly spec: ExecSpec
  readonly state: 'created' | 'running' | 'exited'
  readonly pid: number
  /** null until it ends. */
  readonly exitCode: number | null
}

export interface AttachOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Follow what comes from now on. */
  readonly stream: boolean
  /** First replay what the log holds. */
  readonly logs: boolean
  readonly detachKeys: string
}

/** Both ends of an attachment. `output` carries Docker's stream frames (8-byte header) unless `isRaw`, and ends when the process's output does. */
export interface AttachStream {
  readonly isRaw: boolean
  readonly output: Readable
  /** null when the standard input was not asked for or is closed. Ending it closes the process's standard input where that is due. */
  readonly input: Writable | null
  /** The client is gone. */
  close(): void
}

export interface TopProcess {
  readonly pid: number
  /** Inside the container's PID namespace. */
  readonly insidePid: number
  readonly ppid: number
  readonly uid: number
  readonly user: string
  readonly cpuSeconds: number
  readonly cpuPercent: number
  readonly rssBytes: number
  /** Epoch milliseconds. */
  readonly startedAtMs: number
  readonly tty: string
  readonly command: string
}

export interface ContainerUsage {
  readonly readAtMs: number
  readonly cpuTotalNs: number
  readonly cpuUserNs: number
  readonly cpuSystemNs: number
  /** cgroup v1 only. */
  readonly cpuPerCoreNs?: readonly number[]
  /** The whole host's, for percentages. */
  readonly systemCpuNs: number
  readonly onlineCpus: number
  readonly throttledPeriods: number
  readonly totalPeriods: number
  readonly throttledNs: number
  readonly memoryUsageBytes: number
  /** The most there has been; left out where the kernel does not keep it. */
  readonly memoryPeakBytes?: number
  readonly memoryLimitBytes: number
  /** Page cache that the kernel can take back; `docker stats` subtracts it. */
  readonly memoryInactiveFileBytes: number
  readonly memoryStats: Readonly<Record<string, number>>
  readonly pids: number
  readonly pidsLimit: number
  readonly io: readonly {
    readonly major: number
    readonly minor: number
    readonly operation: 'read' | 'write'
    readonly bytes: number
    readonly operations: number
  }[]
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly rxBytes: number
        readonly rxPackets: number
        readonly rxErrors: number
        readonly rxDropped: number
        readonly txBytes: number
        readonly txPackets: number
        readonly txErrors: number
        readonly txDropped: number
      }
    >
  >
}

export type { LogEntry, LogReadOptions as LogOptions } from '#engine/logs'
