import { closeSync, openSync, readSync } from 'node:fs'

import { systemCodeOf } from '#base'
import { isGone } from './cgroup-changes.ts'
import { parseBlkio, parseFigure, parseIoStat, total } from './cgroup-figures.ts'
import { parsePressure } from './machine-figures.ts'
import type { CgroupSample } from './port-cgroups.ts'

/** Where a controller's files of a group are, and which interface they are of; `pressure`: the v2 tree. Undefined: there is no such controller. */
export type ControllerDirectory = (controller: string) => { readonly directory: string; readonly isV2: boolean } | undefined

/** memory.stat is the longest, with 2 KiB; io.stat has a line for each device. */
const MAX_FILE_BYTES = 64 * 1024

/**
 * Figures of a group for those who look at many of them often: as `usage`, but each file is read once, into one buffer, and no others than these. `isShort`: what changes from one look to the next.
 * `before`: given back when its processor time is still what it was. Nothing ran, so it took no memory and read nothing; only the kernel may have taken page cache back.
 */
export function cgroupSample(
  of: ControllerDirectory,
  buffer: Buffer,
  { isShort, before }: { readonly isShort: boolean; readonly before?: CgroupSample | undefined },
): CgroupSample | undefined {
  const read = (controller: string, file: string): string | undefined => {
    const found = of(controller)
    return found === undefined ? undefined : readInto(`${found.directory}/${file}`, buffer)
  }
  const isCpuV2 = of('cpu')?.isV2 === true
  const used = isCpuV2 ? read('cpu', 'cpu.stat') : read('cpuacct', 'cpuacct.usage')
  const cpuNs = isCpuV2 ? nanoseconds(figureIn(used ?? '', 'usage_usec')) : parseFigure(used)
  if (before !== undefined && cpuNs !== undefined && cpuNs === before.cpuNs) return before
  const memory = of('memory')?.isV2 === true ? memoryV2(read, isShort) : memoryV1(read, isShort)
  if (memory === undefined && cpuNs === undefined) return undefined
  return {
    cpuNs,
    ...(isCpuV2 ? cpuV2(used ?? '') : cpuV1(read, isShort)),
    ...memory,
    ...(of('io')?.isV2 === true ? ioV2(read) : ioV1(read, isShort)),
    pids: parseFigure(read('pids', 'pids.current')),
    pidsLimit: isShort ? undefined : parseFigure(read('pids', 'pids.max')),
    ...pressures(read),
  }
}

export function sampleBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(MAX_FILE_BYTES)
}

function readInto(path: string, buffer: Buffer): string | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0))
  } catch (error) {
    // The group went while it was read, or the kernel was started without this figure.
    if (isGone(error) || systemCodeOf(error) === 'EOPNOTSUPP') return undefined
    throw error
  } finally {
    closeSync(fd)
  }
}

type Read = (controller: string, file: string) => string | undefined

/** One figure of a file of lines `key value`. */
function figureIn(text: string, key: string): number | undefined {
  const at = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1
  if (at === 0 && !text.startsWith(`${key} `)) return undefined
  const end = text.indexOf('\n', at)
  return Number(text.slice(at + key.length + 1, end === -1 ? text.length : end))
}

function memoryV1(read: Read, isShort: boolean) {
  const usage = parseFigure(read('memory', 'memory.usage_in_bytes'))
  if (usage === undefined) return undefined
  const stat = read('memory', 'memory.stat') ?? ''
  return {
    memoryBytes: usage,
    memoryAnonymousBytes: figureIn(stat, 'total_rss'),
    memoryFileBytes: figureIn(stat, 'total_cache'),
    memoryInactiveFileBytes: figureIn(stat, 'total_inactive_file'),
    memorySharedBytes: figureIn(stat, 'total_shmem'),
    memoryMappedBytes: figureIn(stat, 'total_mapped_file'),
    memoryKernelBytes: isShort ? undefined : parseFigure(read('memory', 'memory.kmem.usage_in_bytes')),
    swapBytes: figureIn(stat, 'total_swap'),
    pageFaults: figureIn(stat, 'total_pgfault'),
    majorPageFaults: figureIn(stat, 'total_pgmajfault'),
    memoryPeakBytes: isShort ? undefined : parseFigure(read('memory', 'memory.max_usage_in_bytes')),
    oomKills: figureIn(read('memory', 'memory.oom_control') ?? '', 'oom_kill'),
  }
}

function memoryV2(read: Read, isShort: boolean) {
  const usage = parseFigure(read('memory', 'memory.current'))
  if (usage === undefined) return undefined
  const stat = read('memory', 'memory.stat') ?? ''
  return {
    memoryBytes: usage,
    memoryAnonymousBytes: figureIn(stat, 'anon'),
    memoryFileBytes: figureIn(stat, 'file'),
    memoryInactiveFileBytes: figureIn(stat, 'inactive_file'),
    memorySharedBytes: figureIn(stat, 'shmem'),
    memoryMappedBytes: figureIn(stat, 'file_mapped'),
    memoryKernelBytes: figureIn(stat, 'kernel'),
    swapBytes: parseFigure(read('memory', 'memory.swap.current')),
    pageFaults: figureIn(stat, 'pgfault'),
    majorPageFaults: figureIn(stat, 'pgmajfault'),
    memoryPeakBytes: isShort ? undefined : parseFigure(read('memory', 'memory.peak')),
    oomKills: figureIn(read('memory', 'memory.events') ?? '', 'oom_kill'),
  }
}

function cpuV1(read: Read, isShort: boolean) {
  const stat = read('cpu', 'cpu.stat') ?? ''
  return {
    cpuUserNs: isShort ? undefined : parseFigure(read('cpuacct', 'cpuacct.usage_user')),
    cpuSystemNs: isShort ? undefined : parseFigure(read('cpuacct', 'cpuacct.usage_sys')),
    cpuPeriods: figureIn(stat, 'nr_periods'),
    throttledPeriods: figureIn(stat, 'nr_throttled'),
    throttledNs: figureIn(stat, 'throttled_time'),
  }
}

function cpuV2(stat: string) {
  return {
    cpuUserNs: nanoseconds(figureIn(stat, 'user_usec')),
    cpuSystemNs: nanoseconds(figureIn(stat, 'system_usec')),
    cpuPeriods: figureIn(stat, 'nr_periods'),
    throttledPeriods: figureIn(stat, 'nr_throttled'),
    throttledNs: nanoseconds(figureIn(stat, 'throttled_usec')),
  }
}

function nanoseconds(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us * 1000
}

function ioV1(read: Read, isShort: boolean) {
  const bytes = read('blkio', 'blkio.throttle.io_service_bytes_recursive')
  const operations = isShort ? undefined : read('blkio', 'blkio.throttle.io_serviced_recursive')
  return bytes === undefined ? NO_IO : ioOf(parseBlkio(bytes, operations), !isShort)
}

function ioV2(read: Read) {
  const text = read('io', 'io.stat')
  return text === undefined ? NO_IO : ioOf(parseIoStat(text), true)
}

const NO_IO = { ioReadBytes: undefined, ioWriteBytes: undefined, ioReadOperations: undefined, ioWriteOperations: undefined }

function ioOf(devices: ReturnType<typeof parseIoStat>, hasOperations: boolean) {
  return {
    ioReadBytes: total(devices, 'readBytes'),
    ioWriteBytes: total(devices, 'writeBytes'),
    ioReadOperations: hasOperations ? total(devices, 'readOperations') : undefined,
    ioWriteOperations: hasOperations ? total(devices, 'writeOperations') : undefined,
  }
}

/** Only the v2 tree has them, with or without controllers, where the kernel was built and started with it. */
function pressures(read: Read) {
  const cpuPressure = parsePressure(read('pressure', 'cpu.pressure'))
  if (cpuPressure === undefined) return { cpuPressure, memoryPressure: undefined, ioPressure: undefined }
  return {
    cpuPressure,
    memoryPressure: parsePressure(read('pressure', 'memory.pressure')),
    ioPressure: parsePressure(read('pressure', 'io.pressure')),
  }
}
