import { parseBlkio, parseFigure, parseIoStat, parseKeyed, parseLimit, parseList, total } from './cgroup-figures.ts'
import type { CgroupUsage } from './port-cgroups.ts'

/** Text of one file of a group, found by the controller that it belongs to; undefined when there is none. */
export type ReadCgroupFile = (controller: string, file: string) => string | undefined

type Part<K extends keyof CgroupUsage> = Pick<CgroupUsage, K>
type MemoryKeys =
  | 'memoryBytes'
  | 'memoryPeakBytes'
  | 'memoryLimitBytes'
  | 'swapBytes'
  | 'memoryCacheBytes'
  | 'memoryInactiveFileBytes'
  | 'memoryAnonymousBytes'
  | 'memoryStat'
  | 'oomKills'
type CpuKeys = 'cpuNs' | 'cpuUserNs' | 'cpuSystemNs' | 'cpuPerCoreNs' | 'throttledPeriods' | 'cpuPeriods' | 'throttledNs'

/** Each controller on its own, since a host can have some of them in v1 and some in v2. */
export function cgroupUsage(read: ReadCgroupFile, isV2: (controller: string) => boolean): CgroupUsage {
  const ioDevices = isV2('io')
    ? parseIoStat(read('io', 'io.stat'))
    : parseBlkio(
        read('blkio', 'blkio.throttle.io_service_bytes_recursive'),
        read('blkio', 'blkio.throttle.io_serviced_recursive'),
      )
  const hasIo = (isV2('io') ? read('io', 'io.stat') : read('blkio', 'blkio.throttle.io_service_bytes_recursive')) !== undefined
  return {
    ...(isV2('memory') ? memoryV2(read) : memoryV1(read)),
    ...(isV2('cpu') ? cpuV2(read) : cpuV1(read)),
    pids: parseFigure(read('pids', 'pids.current')),
    pidsLimit: parseFigure(read('pids', 'pids.max')),
    ioReadBytes: hasIo ? total(ioDevices, 'readBytes') : undefined,
    ioWriteBytes: hasIo ? total(ioDevices, 'writeBytes') : undefined,
    ioReadOperations: hasIo ? total(ioDevices, 'readOperations') : undefined,
    ioWriteOperations: hasIo ? total(ioDevices, 'writeOperations') : undefined,
    ioDevices,
  }
}

function memoryV1(read: ReadCgroupFile): Part<MemoryKeys> {
  const stat = parseKeyed(read('memory', 'memory.stat'))
  return {
    memoryBytes: parseFigure(read('memory', 'memory.usage_in_bytes')),
    memoryPeakBytes: parseFigure(read('memory', 'memory.max_usage_in_bytes')),
    memoryLimitBytes: parseLimit(read('memory', 'memory.limit_in_bytes')),
    swapBytes: stat.total_swap,
    memoryCacheBytes: stat.total_cache,
    memoryInactiveFileBytes: stat.total_inactive_file,
    memoryAnonymousBytes: stat.total_rss,
    memoryStat: stat,
    oomKills: parseKeyed(read('memory', 'memory.oom_control')).oom_kill ?? 0,
  }
}

function memoryV2(read: ReadCgroupFile): Part<MemoryKeys> {
  const stat = parseKeyed(read('memory', 'memory.stat'))
  return {
    memoryBytes: parseFigure(read('memory', 'memory.current')),
    memoryPeakBytes: parseFigure(read('memory', 'memory.peak')),
    memoryLimitBytes: parseFigure(read('memory', 'memory.max')),
    swapBytes: parseFigure(read('memory', 'memory.swap.current')),
    memoryCacheBytes: stat.file,
    memoryInactiveFileBytes: stat.inactive_file,
    memoryAnonymousBytes: stat.anon,
    memoryStat: stat,
    oomKills: parseKeyed(read('memory', 'memory.events')).oom_kill ?? 0,
  }
}

function cpuV1(read: ReadCgroupFile): Part<CpuKeys> {
  const stat = parseKeyed(read('cpu', 'cpu.stat'))
  return {
    cpuNs: parseFigure(read('cpuacct', 'cpuacct.usage')),
    cpuUserNs: parseFigure(read('cpuacct', 'cpuacct.usage_user')),
    cpuSystemNs: parseFigure(read('cpuacct', 'cpuacct.usage_sys')),
    cpuPerCoreNs: parseList(read('cpuacct', 'cpuacct.usage_percpu')),
    cpuPeriods: stat.nr_periods ?? 0,
    throttledPeriods: stat.nr_throttled ?? 0,
    throttledNs: stat.throttled_time ?? 0,
  }
}

function cpuV2(read: ReadCgroupFile): Part<CpuKeys> {
  const stat = parseKeyed(read('cpu', 'cpu.stat'))
  const nanoseconds = (us: number | undefined) => (us === undefined ? undefined : us * 1000)
  return {
    cpuNs: nanoseconds(stat.usage_usec),
    cpuUserNs: nanoseconds(stat.user_usec),
    cpuSystemNs: nanoseconds(stat.system_usec),
    cpuPerCoreNs: undefined,
    cpuPeriods: stat.nr_periods ?? 0,
    throttledPeriods: stat.nr_throttled ?? 0,
    throttledNs: nanoseconds(stat.throttled_usec) ?? 0,
  }
}
