/** Time in which somebody waited for something, since the group or the machine began: PSI, Documentation/accounting/psi.rst. */
export interface Pressure {
  /** At least one task waited. */
  readonly someUs: number
  /** All of them did; undefined where that has no meaning. */
  readonly fullUs: number | undefined
}

export function parsePressure(text: string | undefined): Pressure | undefined {
  const of = (line: string) => {
    const found = new RegExp(`^${line} .*\\btotal=(\\d+)`, 'm').exec(text ?? '')
    return found === null ? undefined : Number(found[1])
  }
  const someUs = of('some')
  return someUs === undefined ? undefined : { someUs, fullUs: of('full') }
}

/** proc_stat(5): times of all processors together, in seconds by what they did, and counts since boot. */
export interface MachineTimes {
  readonly cpuSeconds: Readonly<Record<CpuMode, number>>
  readonly contextSwitches: number
  readonly forks: number
  readonly runningProcesses: number
  readonly blockedProcesses: number
}

const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const
export type CpuMode = (typeof CPU_MODES)[number]

/** USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

export function parseMachineTimes(text: string): MachineTimes {
  const lines = new Map(
    text.split('\n').map((line) => {
      const [key = '', ...rest] = line.trim().split(/\s+/)
      return [key, rest.map(Number)] as const
    }),
  )
  const one = (key: string) => lines.get(key)?.[0] ?? 0
  const ticks = lines.get('cpu') ?? []
  return {
    cpuSeconds: Object.fromEntries(CPU_MODES.map((mode, index) => [mode, (ticks[index] ?? 0) / TICKS_PER_SECOND])) as Record<
      CpuMode,
      number
    >,
    contextSwitches: one('ctxt'),
    forks: one('processes'),
    runningProcesses: one('procs_running'),
    blockedProcesses: one('procs_blocked'),
  }
}

export interface DiskFigures {
  readonly name: string
  readonly reads: number
  readonly writes: number
  readonly readBytes: number
  readonly writeBytes: number
  readonly readSeconds: number
  readonly writeSeconds: number
  /** In which it had something to do. */
  readonly busySeconds: number
}

/** What /proc/diskstats counts in, whatever the disk's own sectors are. */
const SECTOR_BYTES = 512
/** Not disks: files that are mounted, and memory. */
const NO_DISKS = /^(?:loop|ram|zram|sr|fd)\d/

/** /proc/diskstats, Documentation/admin-guide/iostats.rst. `isDisk`: false for partitions, whose disk counts them. */
export function parseDisks(text: string, isDisk: (name: string) => boolean): readonly DiskFigures[] {
  return text.split('\n').flatMap((line) => {
    const [, , name = '', ...fields] = line.trim().split(/\s+/)
    if (fields.length < 11 || NO_DISKS.test(name) || !isDisk(name)) return []
    const [reads = 0, , readSectors = 0, readMs = 0, writes = 0, , writtenSectors = 0, writeMs = 0, , busyMs = 0] =
      fields.map(Number)
    return [
      {
        name,
        reads,
        writes,
        readBytes: readSectors * SECTOR_BYTES,
        writeBytes: writtenSectors * SECTOR_BYTES,
        readSeconds: readMs / 1000,
        writeSeconds: writeMs / 1000,
        busySeconds: busyMs / 1000,
      },
    ]
  })
}

/** The three of /proc/loadavg, proc_loadavg(5). */
export function parseLoad(text: string): readonly [number, number, number] {
  const [one = 0, five = 0, fifteen = 0] = text.split(' ', 3).map(Number)
  return [one, five, fifteen]
}

/** Bytes of the lines of /proc/meminfo that are in kB, proc_meminfo(5). */
export function parseMemory(text: string): ReadonlyMap<string, number> {
  return new Map([...text.matchAll(/^(\S+):\s+(\d+) kB$/gm)].map(([, key = '', value]) => [key, Number(value) * 1024]))
}
