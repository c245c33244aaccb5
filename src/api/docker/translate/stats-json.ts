import type { ContainerRecord, ContainerUsage } from '#engine/containers'

import { ZERO_TIME } from './times.ts'

/** ContainerStatsResponse. `previous`: the sample before, which clients compute percentages from; null: none. `now` null: not running. */
export function statsJson(record: ContainerRecord, now: ContainerUsage | null, previous: ContainerUsage | null) {
  const networks = networksJson(now)
  return {
    name: `/${record.name}`,
    id: record.id,
    read: timeOf(now),
    preread: timeOf(previous),
    pids_stats: now === null ? {} : { current: now.pids, ...(now.pidsLimit > 0 ? { limit: now.pidsLimit } : {}) },
    blkio_stats: blkioJson(now),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuJson(now),
    precpu_stats: cpuJson(previous),
    memory_stats: now === null ? {} : memoryJson(now),
    ...(Object.keys(networks).length === 0 ? {} : { networks }),
  }
}

function timeOf(usage: ContainerUsage | null): string {
  return usage === null ? ZERO_TIME : new Date(usage.readAtMs).toISOString().replace('Z', '000000Z')
}

function cpuJson(usage: ContainerUsage | null) {
  return {
    cpu_usage: {
      total_usage: usage?.cpuTotalNs ?? 0,
      ...(usage?.cpuPerCoreNs === undefined ? {} : { percpu_usage: usage.cpuPerCoreNs }),
      usage_in_kernelmode: usage?.cpuSystemNs ?? 0,
      usage_in_usermode: usage?.cpuUserNs ?? 0,
    },
    ...(usage === null ? {} : { system_cpu_usage: usage.systemCpuNs, online_cpus: usage.onlineCpus }),
    throttling_data: {
      periods: usage?.totalPeriods ?? 0,
      throttled_periods: usage?.throttledPeriods ?? 0,
      throttled_time: usage?.throttledNs ?? 0,
    },
  }
}

function memoryJson(usage: ContainerUsage) {
  return {
    usage: usage.memoryUsageBytes,
    ...(usage.memoryPeakBytes === undefined ? {} : { max_usage: usage.memoryPeakBytes }),
    // The CLI takes `total_inactive_file` (v1) or `inactive_file` (v2) off the usage.
    stats: { inactive_file: usage.memoryInactiveFileBytes, ...usage.memoryStats },
    limit: usage.memoryLimitBytes,
  }
}

function blkioJson(usage: ContainerUsage | null) {
  const entries = (value: (io: ContainerUsage['io'][number]) => number) =>
    usage?.io.map((io) => ({ major: io.major, minor: io.minor, op: io.operation, value: value(io) })) ?? null
  return {
    io_service_bytes_recursive: entries((io) => io.bytes),
    io_serviced_recursive: entries((io) => io.operations),
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  }
}

function networksJson(usage: ContainerUsage | null) {
  return Object.fromEntries(
    Object.entries(usage?.networks ?? {}).map(([name, net]) => [
      name,
      {
        rx_bytes: net.rxBytes,
        rx_packets: net.rxPackets,
        rx_errors: net.rxErrors,
        rx_dropped: net.rxDropped,
        tx_bytes: net.txBytes,
        tx_packets: net.txPackets,
        tx_errors: net.txErrors,
        tx_dropped: net.txDropped,
      },
    ]),
  )
}
