import type { Pressure } from './machine-figures.ts'

/** Control groups of every layout, addressed by one path below the root: `/glovebox/<instance>/<container>`. */
export interface CgroupPort {
  readonly mode: CgroupMode
  /** Controllers that can be used: `memory`, `cpu`, `pids`, ... */
  readonly controllers: readonly string[]
  /**
   * Makes the group (and, on v2, hands the controllers down to its children). Existing is fine. In a container's own cgroup
   * namespace the processes at its root move into a group below, for the kernel hands nothing down past them.
   */
  createParent(path: string): void
  exists(path: string): boolean
  /** What the group uses now. Undefined when it does not exist. */
  usage(path: string): CgroupUsage | undefined
  /**
   * What the group uses, for those who look at many groups often. Undefined when it does not exist. `isShort`: without peaks and what is told of operations,
   * which takes half the time. `before`: what was read last; where no process ran since, which one file tells, it is given back.
   */
  sample(
    path: string,
    options: { readonly isShort: boolean; readonly before?: CgroupSample | undefined },
  ): CgroupSample | undefined
  /** Process ids of the group and the groups below it. */
  pids(path: string): readonly number[]
  freezeState(path: string): 'thawed' | 'freezing' | 'frozen'
  /** Asks for the state and waits until it is reached; `host.cgroup_timeout` after 5 s. */
  setFrozen(path: string, isFrozen: boolean): Promise<void>
  /** Kills every process of the group and below: cgroup.kill where the kernel has it, else signals until none is left. */
  kill(path: string): Promise<void>
  /** Removes the group with its children from every hierarchy. Absent is fine; waits a bounded time while it is busy. */
  remove(path: string): Promise<void>
  /** Removes the group itself from every hierarchy where it has neither children nor processes; elsewhere it stays. */
  removeIfEmpty(path: string): void
  /**
   * Takes the wait for an RCU grace period that the next process move would pay, off the event loop. Call when a start is
   * likely soon; cheap when called often. Never rejects.
   */
  warm(): Promise<void>
  /**
   * On a hybrid host hides the (empty) v2 tree's controllers from the OCI runtime by binding /dev/null over
   * `unified/cgroup.controllers`. Only call it in a mount namespace of one's own. True if it was needed and done (or had been).
   */
  maskUnifiedControllers(): boolean
}

/** `hybrid`: v1 hierarchies that do the work, with a v2 tree beside them. */
export type CgroupMode = 'v1' | 'v2' | 'hybrid'

/** Undefined figures: the controller is not there. Limits undefined: none set. */
export interface CgroupUsage {
  readonly memoryBytes: number | undefined
  readonly memoryPeakBytes: number | undefined
  readonly memoryLimitBytes: number | undefined
  readonly swapBytes: number | undefined
  /** Page cache within memoryBytes. */
  readonly memoryCacheBytes: number | undefined
  /** Page cache that can be dropped at once: Docker's clients subtract it. */
  readonly memoryInactiveFileBytes: number | undefined
  readonly memoryAnonymousBytes: number | undefined
  /** All figures of memory.stat. */
  readonly memoryStat: Readonly<Record<string, number>>
  readonly oomKills: number
  readonly cpuNs: number | undefined
  readonly cpuUserNs: number | undefined
  readonly cpuSystemNs: number | undefined
  readonly cpuPerCoreNs: readonly number[] | undefined
  readonly throttledPeriods: number
  readonly cpuPeriods: number
  readonly throttledNs: number
  readonly pids: number | undefined
  readonly pidsLimit: number | undefined
  readonly ioReadBytes: number | undefined
  readonly ioWriteBytes: number | undefined
  readonly ioReadOperations: number | undefined
  readonly ioWriteOperations: number | undefined
  readonly ioDevices: readonly CgroupDeviceIo[]
}

export interface CgroupDeviceIo {
  readonly major: number
  readonly minor: number
  readonly readBytes: number
  readonly writeBytes: number
  readonly readOperations: number
  readonly writeOperations: number
}

/** Undefined figures: the kernel does not tell, or they were not asked for. */
export interface CgroupSample {
  readonly cpuNs?: number | undefined
  readonly cpuUserNs?: number | undefined
  readonly cpuSystemNs?: number | undefined
  readonly cpuPeriods?: number | undefined
  readonly throttledPeriods?: number | undefined
  readonly throttledNs?: number | undefined
  readonly memoryBytes?: number | undefined
  readonly memoryAnonymousBytes?: number | undefined
  /** Page cache. */
  readonly memoryFileBytes?: number | undefined
  /** Page cache that can be dropped at once. */
  readonly memoryInactiveFileBytes?: number | undefined
  readonly memorySharedBytes?: number | undefined
  readonly memoryMappedBytes?: number | undefined
  readonly memoryKernelBytes?: number | undefined
  readonly swapBytes?: number | undefined
  readonly memoryPeakBytes?: number | undefined
  readonly pageFaults?: number | undefined
  readonly majorPageFaults?: number | undefined
  readonly oomKills?: number | undefined
  readonly ioReadBytes: number | undefined
  readonly ioWriteBytes: number | undefined
  readonly ioReadOperations: number | undefined
  readonly ioWriteOperations: number | undefined
  readonly pids: number | undefined
  readonly pidsLimit: number | undefined
  readonly cpuPressure: Pressure | undefined
  readonly memoryPressure: Pressure | undefined
  readonly ioPressure: Pressure | undefined
}
