import { existsSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'

import { systemCodeOf } from '#base'
import {
  parseDisks,
  parseLoad,
  parseMachineTimes,
  parseMemory,
  parsePressure,
  type DiskFigures,
  type MachineTimes,
  type Pressure,
} from './machine-figures.ts'
import type { MountEntry, MountPort } from './port-mounts.ts'

/** What the machine does as a whole. Cheap: a handful of files of /proc. */
export interface MachinePort {
  times(): MachineTimes
  /** Of the last 1, 5 and 15 minutes. */
  load(): readonly [number, number, number]
  /** Bytes by the names of /proc/meminfo. */
  memory(): ReadonlyMap<string, number>
  disks(): readonly DiskFigures[]
  /** Undefined: the kernel does not tell. */
  pressure(resource: 'cpu' | 'memory' | 'io'): Pressure | undefined
  /** File systems on disks of this machine, each once, at the mount point that is nearest to the root. */
  fileSystems(): Promise<readonly FileSystemFigures[]>
  /** Of the whole machine; undefined where it is not told. */
  openFiles(): { readonly open: number; readonly limit: number } | undefined
}

export interface FileSystemFigures {
  readonly device: string
  readonly mountPoint: string
  readonly type: string
  readonly sizeBytes: number
  readonly freeBytes: number
  /** For others than root. */
  readonly availableBytes: number
  readonly files: number
  readonly freeFiles: number
}

/** Machines have a handful; what mounts hundreds of disks has a monitor of its own for them. */
const MAX_FILE_SYSTEMS = 64

export function linuxMachine(mounts: Pick<MountPort, 'list'>): MachinePort {
  const read = (path: string) => readFileSync(path, 'utf8')
  let known: { readonly disks: readonly DiskMount[]; readonly readMs: number } | undefined
  return {
    times: () => parseMachineTimes(read('/proc/stat')),
    load: () => parseLoad(read('/proc/loadavg')),
    memory: () => parseMemory(read('/proc/meminfo')),
    disks: () => parseDisks(read('/proc/diskstats'), (name) => existsSync(`/sys/block/${name.replaceAll('/', '!')}`)),
    pressure: (resource) => parsePressure(ifThere(`/proc/pressure/${resource}`)),
    fileSystems: async () => {
      const nowMs = performance.now()
      if (known === undefined || nowMs - known.readMs > MOUNTS_FRESH_MS) known = { disks: disksOf(mounts), readMs: nowMs }
      const figures = await Promise.all(known.disks.map(figuresOf))
      return figures.flatMap((one) => (one === undefined ? [] : [one]))
    },
    openFiles: () => {
      const [open, , limit] = (ifThere('/proc/sys/fs/file-nr') ?? '').trim().split(/\s+/).map(Number)
      return open === undefined || limit === undefined ? undefined : { open, limit }
    },
  }
}

/** Among the mounts of hundreds of containers there are a handful of disks, and they hardly change. */
const MOUNTS_FRESH_MS = 60_000

type DiskMount = Pick<MountEntry, 'source' | 'target' | 'type'>

function disksOf(mounts: Pick<MountPort, 'list'>): readonly DiskMount[] {
  const found = new Map<string, DiskMount>()
  for (const { source, target, type } of mounts.list()) {
    if (!source.startsWith('/dev/') || source.startsWith('/dev/loop')) continue
    const nearest = found.get(source)
    if (nearest === undefined || target.length < nearest.target.length) found.set(source, { source, target, type })
  }
  return [...found.values()].slice(0, MAX_FILE_SYSTEMS)
}

async function figuresOf(mount: DiskMount): Promise<FileSystemFigures | undefined> {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(mount.target)
    return {
      device: mount.source,
      mountPoint: mount.target,
      type: mount.type,
      sizeBytes: blocks * bsize,
      freeBytes: bfree * bsize,
      availableBytes: bavail * bsize,
      files,
      freeFiles: ffree,
    }
  } catch {
    // Unmounted meanwhile, or covered by another mount that is not ours to look into.
    return undefined
  }
}

function ifThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // A kernel that was started without PSI has the files and refuses to read them.
    if (['ENOENT', 'EOPNOTSUPP'].includes(systemCodeOf(error) ?? '')) return undefined
    throw error
  }
}
