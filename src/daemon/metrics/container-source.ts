import { setImmediate as nextTurn } from 'node:timers/promises'

import { cgroupPathOf, type ContainerRecord, type ContainersService } from '#engine/containers'
import type { LinkStatistics, Networks } from '#engine/network'
import type { CgroupSample, Host, LinkCounters } from '#host'
import { familyWriters, joinLabels, labelText, type MetricSource, type MetricSpec, type Wish } from '#observe/metrics'

import { distinctLabels } from './container-labels.ts'

const counter = (name: string, help: string, isKept = false): MetricSpec => ({ name, help, type: 'counter', isKept })
const gauge = (name: string, help: string, isKept = false): MetricSpec => ({ name, help, type: 'gauge', isKept })
const KEPT = true

const SPECS = {
  info: gauge('glovebox_container_info', 'Which image a container is of; always 1.'),
  state: gauge('glovebox_container_state', 'The state that a container is in; always 1.'),
  running: gauge('glovebox_container_running', 'Whether it runs.', KEPT),
  started: gauge('glovebox_container_start_time_seconds', 'When it was started last, in seconds since 1970.'),
  restarts: counter('glovebox_container_restarts_total', 'Times that it was started again by its policy.', KEPT),
  health: gauge('glovebox_container_healthy', 'Whether its health check passes; absent when it has none.', KEPT),
  exitCode: gauge('glovebox_container_exit_code', 'Exit code of its last end; absent when it did not end.'),
  oomKilled: gauge('glovebox_container_oom_killed', 'Whether its last end was for want of memory.', KEPT),
  cpu: counter('glovebox_container_cpu_seconds_total', 'Processor time that it used.', KEPT),
  cpuMode: counter('glovebox_container_cpu_mode_seconds_total', 'Processor time that it used, by mode.'),
  periods: counter('glovebox_container_cpu_periods_total', 'Periods in which it had a bound on its processor time.'),
  throttledPeriods: counter('glovebox_container_cpu_throttled_periods_total', 'Of these, periods in which it reached the bound.'),
  throttled: counter('glovebox_container_cpu_throttled_seconds_total', 'Time in which it was held still by that bound.', KEPT),
  memory: gauge('glovebox_container_memory_usage_bytes', 'Memory that is counted as its own, page cache included.', KEPT),
  working: gauge('glovebox_container_memory_working_set_bytes', 'Memory without page cache that could be dropped at once.', KEPT),
  kinds: gauge('glovebox_container_memory_bytes', 'Memory by kind.'),
  swap: gauge('glovebox_container_swap_bytes', 'What of it was swapped out.'),
  peak: gauge('glovebox_container_memory_peak_bytes', 'The most memory that there has been.'),
  limit: gauge('glovebox_container_memory_limit_bytes', 'Its bound on memory; absent when it has none.', KEPT),
  faults: counter('glovebox_container_page_faults_total', 'Page faults by kind; major ones waited for a disk.'),
  oomKills: counter('glovebox_container_oom_kills_total', 'Processes of it that the kernel killed for want of memory.', KEPT),
  pids: gauge('glovebox_container_pids', 'Its processes and threads.', KEPT),
  pidsLimit: gauge('glovebox_container_pids_limit', 'Its bound on them; absent when it has none.'),
  readBytes: counter('glovebox_container_io_read_bytes_total', 'Bytes that it read from disks.', KEPT),
  writeBytes: counter('glovebox_container_io_written_bytes_total', 'Bytes that it wrote to disks.', KEPT),
  reads: counter('glovebox_container_io_reads_total', 'Reads from disks.'),
  writes: counter('glovebox_container_io_writes_total', 'Writes to disks.'),
  waiting: counter(
    'glovebox_container_pressure_waiting_seconds_total',
    'Time in which some task of it waited for a resource (PSI).',
    KEPT,
  ),
  stalled: counter(
    'glovebox_container_pressure_stalled_seconds_total',
    'Time in which all of its tasks waited for a resource (PSI).',
  ),
  received: counter('glovebox_container_network_received_bytes_total', 'Bytes that it received.', KEPT),
  sent: counter('glovebox_container_network_sent_bytes_total', 'Bytes that it sent.', KEPT),
  receivedPackets: counter('glovebox_container_network_received_packets_total', 'Packets that it received.'),
  sentPackets: counter('glovebox_container_network_sent_packets_total', 'Packets that it sent.'),
  errors: counter('glovebox_container_network_errors_total', 'Packets that were broken, by direction.'),
  dropped: counter('glovebox_container_network_dropped_total', 'Packets that were thrown away, by direction.'),
} as const

type Writers = ReturnType<typeof familyWriters<keyof typeof SPECS>>['of']

/** Containers that are read before others get a turn: two milliseconds. */
const READ_AT_ONCE = 8

export interface ContainerSourceNeeds {
  readonly containers: Pick<ContainersService, 'list'>
  readonly networks: Pick<Networks, 'endpointsOf' | 'statistics'>
  readonly host: Pick<Host, 'cgroups'>
  readonly links: () => ReadonlyMap<string, LinkCounters>
  readonly runDir: string
  readonly root: string
  readonly instance: string
}

/** Every container of this machine. Those that do not run tell only of their state. */
export function containerSource(needs: ContainerSourceNeeds): MetricSource {
  const known: Parameters<typeof distinctLabels>[1] = new Map()
  const samplers = { all: thriftySampler(needs, false), history: thriftySampler(needs, true) }
  return {
    name: 'containers',
    read: async (wish) => {
      const { of, families } = familyWriters(SPECS)
      const records = needs.containers.list()
      const labels = distinctLabels(records, known)
      const links = records.some(({ status }) => status.pid !== 0) ? needs.links() : new Map<string, LinkCounters>()
      const sampler = samplers[wish]
      let read = 0
      for (const record of records) {
        const text = labels.get(record.id) ?? ''
        ofRecord(of, text, record, wish)
        if (record.status.pid === 0) continue
        if (read > 0 && read % READ_AT_ONCE === 0) await nextTurn()
        read += 1
        const sample = sampler.sample(record)
        if (sample !== undefined) {
          ofCgroup(of, text, sample)
          if (wish === 'all') ofCgroupBeside(of, text, sample)
        }
        ofNetwork(of, text, trafficOf(needs, record, links), wish)
      }
      sampler.endRound(records)
      return families()
    },
  }
}

function pathOf(needs: ContainerSourceNeeds, { id, spec }: ContainerRecord): string {
  return cgroupPathOf(needs, id, spec.resources.cgroupParent)
}

/** Every sixth look all figures are read although nothing ran: page cache may have gone, and may be on the disk now. Not all containers at the same time. */
const FULL_EVERY = 6

/** Most containers do nothing most of the time, and one file says so: 500 of them then cost as much as 100. */
function thriftySampler(needs: ContainerSourceNeeds, isShort: boolean) {
  const last = new Map<string, CgroupSample>()
  let round = 0
  let index = 0
  return {
    sample: (record: ContainerRecord): CgroupSample | undefined => {
      index += 1
      const before = (round + index) % FULL_EVERY === 0 ? undefined : last.get(record.id)
      const sample = needs.host.cgroups.sample(pathOf(needs, record), { isShort, before })
      if (sample !== undefined) last.set(record.id, sample)
      return sample
    },
    endRound: (records: readonly ContainerRecord[]): void => {
      round += 1
      index = 0
      const present = new Set<string>(records.flatMap(({ id, status }) => (status.pid === 0 ? [] : [id])))
      for (const id of last.keys()) if (!present.has(id)) last.delete(id)
    },
  }
}

function ofRecord(of: Writers, text: string, { status, spec }: ContainerRecord, wish: Wish): void {
  of.running.set(text, status.pid === 0 ? 0 : 1)
  of.restarts.set(text, status.restartCount)
  of.health.set(text, status.health === null ? undefined : status.health.status === 'healthy' ? 1 : 0)
  of.oomKilled.set(text, status.isOomKilled ? 1 : 0)
  of.limit.set(text, status.pid === 0 ? undefined : (spec.resources.memoryBytes ?? undefined))
  if (wish === 'history') return
  of.info.set(joinLabels(text, labelText({ image: spec.image })), 1)
  of.state.set(joinLabels(text, labelText({ state: status.state })), 1)
  const startedMs = Date.parse(status.startedAt)
  of.started.set(text, Number.isNaN(startedMs) ? undefined : startedMs / 1000)
  of.exitCode.set(text, status.state === 'exited' || status.state === 'dead' ? status.exitCode : undefined)
}

const seconds = (ns: number | undefined) => (ns === undefined ? undefined : ns / 1e9)

/** Written once: they stand behind the labels of hundreds of containers, every ten seconds. */
const USER = labelText({ mode: 'user' })
const SYSTEM = labelText({ mode: 'system' })
const MINOR = labelText({ kind: 'minor' })
const MAJOR = labelText({ kind: 'major' })
const RECEIVED = labelText({ direction: 'received' })
const SENT = labelText({ direction: 'sent' })
const RESOURCES = (['cpu', 'memory', 'io'] as const).map((resource) => ({
  figure: `${resource}Pressure` as const,
  label: labelText({ resource }),
}))
const KINDS = (
  [
    ['anonymous', 'memoryAnonymousBytes'],
    ['file', 'memoryFileBytes'],
    ['inactive_file', 'memoryInactiveFileBytes'],
    ['shared', 'memorySharedBytes'],
    ['mapped', 'memoryMappedBytes'],
    ['kernel', 'memoryKernelBytes'],
  ] as const
).map(([kind, figure]) => ({ figure, label: labelText({ kind }) }))

/** What the history keeps. */
function ofCgroup(of: Writers, text: string, sample: CgroupSample): void {
  of.cpu.set(text, seconds(sample.cpuNs))
  of.throttled.set(text, seconds(sample.throttledNs))
  of.memory.set(text, sample.memoryBytes)
  if (sample.memoryBytes !== undefined)
    of.working.set(text, Math.max(0, sample.memoryBytes - (sample.memoryInactiveFileBytes ?? 0)))
  of.oomKills.set(text, sample.oomKills)
  of.pids.set(text, sample.pids)
  of.readBytes.set(text, sample.ioReadBytes)
  of.writeBytes.set(text, sample.ioWriteBytes)
  for (const { figure, label } of RESOURCES) {
    const pressure = sample[figure]
    if (pressure !== undefined) of.waiting.set(joinLabels(text, label), pressure.someUs / 1e6)
  }
}

function ofCgroupBeside(of: Writers, text: string, sample: CgroupSample): void {
  if (sample.cpuUserNs !== undefined) {
    of.cpuMode.set(joinLabels(text, USER), seconds(sample.cpuUserNs))
    of.cpuMode.set(joinLabels(text, SYSTEM), seconds(sample.cpuSystemNs))
  }
  of.periods.set(text, sample.cpuPeriods)
  of.throttledPeriods.set(text, sample.throttledPeriods)
  of.peak.set(text, sample.memoryPeakBytes)
  of.swap.set(text, sample.swapBytes)
  of.pidsLimit.set(text, sample.pidsLimit)
  of.reads.set(text, sample.ioReadOperations)
  of.writes.set(text, sample.ioWriteOperations)
  for (const { figure, label } of KINDS) of.kinds.set(joinLabels(text, label), sample[figure])
  if (sample.pageFaults !== undefined) of.faults.set(joinLabels(text, MINOR), sample.pageFaults - (sample.majorPageFaults ?? 0))
  of.faults.set(joinLabels(text, MAJOR), sample.majorPageFaults)
  for (const { figure, label } of RESOURCES) {
    const us = sample[figure]?.fullUs
    of.stalled.set(joinLabels(text, label), us === undefined ? undefined : us / 1e6)
  }
}

/** What the host's end of a pair received is what the container sent. */
function trafficOf(
  { networks }: ContainerSourceNeeds,
  { id }: ContainerRecord,
  links: ReadonlyMap<string, LinkCounters>,
): readonly LinkStatistics[] {
  const endpoints = networks.endpointsOf(id)
  if (endpoints.some(({ hostLink }) => hostLink === '')) return Object.values(networks.statistics(id))
  return endpoints.flatMap(({ hostLink }) => {
    const seen = links.get(hostLink)
    if (seen === undefined) return []
    return [
      {
        rxBytes: seen.txBytes,
        rxPackets: seen.txPackets,
        rxErrors: seen.txErrors,
        rxDropped: seen.txDropped,
        txBytes: seen.rxBytes,
        txPackets: seen.rxPackets,
        txErrors: seen.rxErrors,
        txDropped: seen.rxDropped,
      },
    ]
  })
}

/** All links of a container together: which of its networks it was is seldom asked, and would multiply the series. */
function ofNetwork(of: Writers, text: string, links: readonly LinkStatistics[], wish: Wish): void {
  if (links.length === 0) return
  const sum = (figure: keyof LinkStatistics) => links.reduce((total, link) => total + link[figure], 0)
  of.received.set(text, sum('rxBytes'))
  of.sent.set(text, sum('txBytes'))
  if (wish === 'history') return
  of.receivedPackets.set(text, sum('rxPackets'))
  of.sentPackets.set(text, sum('txPackets'))
  of.errors.set(joinLabels(text, RECEIVED), sum('rxErrors'))
  of.errors.set(joinLabels(text, SENT), sum('txErrors'))
  of.dropped.set(joinLabels(text, RECEIVED), sum('rxDropped'))
  of.dropped.set(joinLabels(text, SENT), sum('txDropped'))
}
