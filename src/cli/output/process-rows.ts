import type { ContainerProcess } from '#api/glovebox'

export interface ProcessRow {
  readonly pid: number
  readonly container: string
  readonly insidePid: number
  readonly user: string
  readonly cpuPercent: number
  readonly rssBytes: number
  readonly command: string
}

/** Percent of one CPU for each process between two readings. A number that another process has by now counts from its start. */
export function cpuShares(
  before: readonly ContainerProcess[],
  now: readonly ContainerProcess[],
  elapsedMs: number,
): ReadonlyMap<number, number> {
  const old = new Map(before.map((one) => [one.pid, one]))
  return new Map(
    now.map((one) => {
      const earlier = old.get(one.pid)
      const isSame = earlier !== undefined && earlier.startedAtMs === one.startedAtMs
      const used = Math.max(0, one.cpuSeconds - (isSame ? earlier.cpuSeconds : 0))
      return [one.pid, elapsedMs <= 0 ? 0 : (used * 100_000) / elapsedMs]
    }),
  )
}

/** Container by container, the busiest container first, and in it the oldest process first. */
export function processRows(processes: readonly ContainerProcess[], shares: ReadonlyMap<number, number>): readonly ProcessRow[] {
  const total = new Map<string, number>()
  for (const one of processes)
    total.set(one.containerName, (total.get(one.containerName) ?? 0) + Math.round(shares.get(one.pid) ?? 0))
  return processes
    .toSorted(
      (a, b) =>
        (total.get(b.containerName) ?? 0) - (total.get(a.containerName) ?? 0) ||
        a.containerName.localeCompare(b.containerName) ||
        a.insidePid - b.insidePid,
    )
    .map((one) => ({
      pid: one.pid,
      container: one.containerName,
      insidePid: one.insidePid,
      user: one.user,
      cpuPercent: shares.get(one.pid) ?? 0,
      rssBytes: one.rssBytes,
      command: one.command,
    }))
}
