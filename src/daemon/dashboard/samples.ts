import type { Clock, ContainerId } from '#base'
import type { LiveSample } from '#dashboard/wire'
import type { ContainersService, ContainerUsage } from '#engine/containers'

/** How often figures change on the page. */
export const SAMPLE_EVERY_MS = 2000
/** Of that time reading may take this part; where there are too many containers for it, each is read less often. */
const MAX_SHARE = 0.015
const SECOND = 1000
const NS_PER_MS = 1_000_000

/** What running containers use, read in turns. */
export interface Samples {
  /** Reads as many as there is time for, and gives the ids of those. */
  turn(): Promise<readonly string[]>
  all(): ReadonlyMap<string, LiveSample>
}

interface Reading {
  readonly usage: ContainerUsage
  readonly sample: LiveSample
}

export function createSamples(containers: Pick<ContainersService, 'list' | 'stats'>, clock: Clock): Samples {
  const readings = new Map<string, Reading>()
  let queue: ContainerId[] = []
  return {
    turn: async () => {
      const running = containers.list().filter(({ status }) => status.pid !== 0)
      const known = new Set<string>(running.map(({ id }) => id))
      const gone = [...readings.keys()].filter((id) => !known.has(id))
      for (const id of gone) readings.delete(id)
      queue = queue.filter((id) => known.has(id))
      const queued = new Set(queue)
      queue.push(...running.map(({ id }) => id).filter((id) => !queued.has(id)))
      const endMs = clock.monotonicMs() + SAMPLE_EVERY_MS * MAX_SHARE
      const read: string[] = []
      for (let left = queue.length; left > 0 && clock.monotonicMs() < endMs; left -= 1) {
        const id = queue.shift()
        if (id === undefined) break
        queue.push(id)
        // It may have ended since.
        const usage = await containers.stats(id).catch(() => undefined)
        if (usage === undefined) continue
        readings.set(id, { usage, sample: sampleOf(usage, readings.get(id)?.usage) })
        read.push(id)
      }
      return [...read, ...gone]
    },
    all: () => new Map([...readings].map(([id, { sample }]) => [id, sample])),
  }
}

/** Pure. */
export function sampleOf(now: ContainerUsage, before: ContainerUsage | undefined): LiveSample {
  const elapsedMs = before === undefined ? 0 : now.readAtMs - before.readAtMs
  const rate = (figure: (usage: ContainerUsage) => number): number | null =>
    before === undefined || elapsedMs <= 0 ? null : Math.max(0, Math.round(((figure(now) - figure(before)) * SECOND) / elapsedMs))
  const cpus = before === undefined || elapsedMs <= 0 ? null : (now.cpuTotalNs - before.cpuTotalNs) / (elapsedMs * NS_PER_MS)
  return {
    atMs: now.readAtMs,
    cpus: cpus === null ? null : Math.max(0, Math.round(cpus * 10_000) / 10_000),
    memoryBytes: Math.max(0, now.memoryUsageBytes - now.memoryInactiveFileBytes),
    memoryLimitBytes: now.memoryLimitBytes,
    rxBytesPerS: rate((usage) => network(usage, 'rxBytes')),
    txBytesPerS: rate((usage) => network(usage, 'txBytes')),
    readBytesPerS: rate((usage) => disk(usage, 'read')),
    writeBytesPerS: rate((usage) => disk(usage, 'write')),
    pids: now.pids,
  }
}

function network({ networks }: ContainerUsage, key: 'rxBytes' | 'txBytes'): number {
  return Object.values(networks).reduce((sum, link) => sum + link[key], 0)
}

function disk({ io }: ContainerUsage, operation: 'read' | 'write'): number {
  return io.reduce((sum, device) => sum + (device.operation === operation ? device.bytes : 0), 0)
}
