import type { CgroupPort, CgroupUsage } from '../port-cgroups.ts'
import type { Recorder } from './record.ts'

export interface FakeCgroups extends CgroupPort {
  /** Makes a group with these processes. */
  put(path: string, pids: readonly number[], usage?: Partial<CgroupUsage>): void
}

const NO_USAGE: CgroupUsage = {
  memoryBytes: 0,
  memoryPeakBytes: 0,
  memoryLimitBytes: undefined,
  swapBytes: 0,
  memoryCacheBytes: 0,
  memoryInactiveFileBytes: 0,
  memoryAnonymousBytes: 0,
  memoryStat: {},
  oomKills: 0,
  cpuNs: 0,
  cpuUserNs: 0,
  cpuSystemNs: 0,
  cpuPerCoreNs: undefined,
  throttledPeriods: 0,
  cpuPeriods: 0,
  throttledNs: 0,
  pids: 0,
  pidsLimit: undefined,
  ioReadBytes: 0,
  ioWriteBytes: 0,
  ioReadOperations: 0,
  ioWriteOperations: 0,
  ioDevices: [],
}

export function fakeCgroups({ record }: Recorder, killProcess: (pid: number) => void): FakeCgroups {
  const groups = new Map<string, { pids: readonly number[]; usage: CgroupUsage; isFrozen: boolean }>()
  const put = (path: string, pids: readonly number[], usage: Partial<CgroupUsage> = {}) =>
    void groups.set(path, { pids, usage: { ...NO_USAGE, pids: pids.length, ...usage }, isFrozen: false })
  return {
    mode: 'v2',
    controllers: ['cpu', 'cpuset', 'io', 'memory', 'pids'],
    put,
    createParent: (path) => {
      record('cgroups.createParent', path)
      if (!groups.has(path)) put(path, [])
    },
    exists: (path) => groups.has(path),
    usage: (path) => groups.get(path)?.usage,
    sample: (path) => {
      const usage = groups.get(path)?.usage
      if (usage === undefined) return undefined
      const none = { cpuPressure: undefined, memoryPressure: undefined, ioPressure: undefined }
      return { ...usage, ...none, memoryFileBytes: usage.memoryCacheBytes }
    },
    pids: (path) => groups.get(path)?.pids ?? [],
    freezeState: (path) => (groups.get(path)?.isFrozen === true ? 'frozen' : 'thawed'),
    setFrozen: async (path, isFrozen) => {
      record('cgroups.setFrozen', path, isFrozen)
      const group = groups.get(path)
      if (group !== undefined) group.isFrozen = isFrozen
    },
    kill: async (path) => {
      record('cgroups.kill', path)
      const group = groups.get(path)
      if (group === undefined) return
      const { pids } = group
      group.pids = []
      for (const pid of pids) killProcess(pid)
    },
    remove: async (path) => {
      record('cgroups.remove', path)
      for (const key of [...groups.keys()]) if (key === path || key.startsWith(`${path}/`)) groups.delete(key)
    },
    removeIfEmpty: (path) => {
      record('cgroups.removeIfEmpty', path)
      if (![...groups.keys()].some((key) => key.startsWith(`${path}/`))) groups.delete(path)
    },
    warm: async () => record('cgroups.warm'),
    maskUnifiedControllers: () => {
      record('cgroups.maskUnifiedControllers')
      return false
    },
  }
}
