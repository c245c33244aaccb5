import { shortId } from '#base'
import type { DockerStats } from '#client'

import { printable } from '../output/colour.ts'
import { binarySize, decimalSize } from '../output/human.ts'
import type { Row } from './listing.ts'

export const STATS_HEADINGS: Readonly<Record<string, string>> = {
  Container: 'CONTAINER',
  ID: 'CONTAINER ID',
  Name: 'NAME',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
}

export const STATS_TABLE = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'] as const

/** A container of which nothing was read yet: its line is there, its values are not. */
export function unknownStatsRow(container: string): Row {
  const dashes = { CPUPerc: '--', MemUsage: '-- / --', MemPerc: '--', NetIO: '-- / --', BlockIO: '-- / --', PIDs: '--' }
  return { Container: container, ID: shortId(container), Name: '--', ...dashes }
}

export function statsRow(container: string, stats: DockerStats, isWhole: boolean): Row {
  const used = memoryUsed(stats)
  const limit = stats.memory_stats.limit ?? 0
  const networks = Object.values(stats.networks ?? {})
  const blocks = stats.blkio_stats?.io_service_bytes_recursive ?? []
  const moved = (operation: string) => sum(blocks.filter(({ op }) => op.toLowerCase() === operation).map(({ value }) => value))
  return {
    Container: container,
    ID: isWhole ? stats.id : shortId(stats.id),
    Name: printable(stats.name.replace(/^\//, '')),
    CPUPerc: percent(cpuPercent(stats)),
    MemUsage: `${binarySize(used)} / ${binarySize(limit)}`,
    MemPerc: percent(limit === 0 ? 0 : (used / limit) * 100),
    NetIO: `${decimalSize(sum(networks.map((one) => one.rx_bytes)))} / ${decimalSize(sum(networks.map((one) => one.tx_bytes)))}`,
    BlockIO: `${decimalSize(moved('read'))} / ${decimalSize(moved('write'))}`,
    PIDs: String(stats.pids_stats?.current ?? 0),
  }
}

/** Pages of files that the kernel could take back at once do not count (cgroup v1 and v2 name them differently). */
function memoryUsed({ memory_stats: { usage = 0, stats = {} } }: DockerStats): number {
  const cache = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0
  return cache < usage ? usage - cache : usage
}

/** Of one CPU: two busy ones are 200. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: DockerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  const cpus = now.online_cpus || (now.cpu_usage.percpu_usage?.length ?? 0)
  return used > 0 && passed > 0 ? (used / passed) * cpus * 100 : 0
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
