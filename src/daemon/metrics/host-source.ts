import { availableParallelism } from 'node:os'

import type { Host, MachinePort } from '#host'
import { familyWriters, joinLabels, labelText, type MetricSource, type MetricSpec } from '#observe/metrics'

const counter = (name: string, help: string): MetricSpec => ({ name, help, type: 'counter', isKept: true })
const gauge = (name: string, help: string): MetricSpec => ({ name, help, type: 'gauge', isKept: true })

const SPECS = {
  cpus: gauge('glovebox_host_cpus', 'Processors of the machine.'),
  cpu: counter('glovebox_host_cpu_seconds_total', 'Time of all processors together, by what they did.'),
  load1: gauge('glovebox_host_load1', 'Processes that ran or waited, over the last minute.'),
  load5: gauge('glovebox_host_load5', 'The same over five minutes.'),
  load15: gauge('glovebox_host_load15', 'The same over fifteen minutes.'),
  processes: gauge('glovebox_host_processes', 'Processes that run, and that wait for a disk.'),
  forks: counter('glovebox_host_forks_total', 'Processes and threads that were made.'),
  switches: counter('glovebox_host_context_switches_total', 'Times that a processor went from one task to another.'),
  boot: gauge('glovebox_host_boot_time_seconds', 'When the machine was started, in seconds since 1970.'),
  memory: gauge('glovebox_host_memory_bytes', 'Memory by kind; what is available can be had without swapping.'),
  swap: gauge('glovebox_host_swap_bytes', 'Swap space by kind.'),
  files: gauge('glovebox_host_open_files', 'Open files of the machine.'),
  filesLimit: gauge('glovebox_host_open_files_limit', 'Files that may be open on the machine.'),
  waiting: counter('glovebox_host_pressure_waiting_seconds_total', 'Time in which some task waited for a resource (PSI).'),
  stalled: counter('glovebox_host_pressure_stalled_seconds_total', 'Time in which all tasks waited for a resource (PSI).'),
  reads: counter('glovebox_host_disk_reads_total', 'Reads that a disk completed.'),
  writes: counter('glovebox_host_disk_writes_total', 'Writes that a disk completed.'),
  readBytes: counter('glovebox_host_disk_read_bytes_total', 'Bytes read from a disk.'),
  writeBytes: counter('glovebox_host_disk_written_bytes_total', 'Bytes written to a disk.'),
  readSeconds: counter('glovebox_host_disk_read_seconds_total', 'Time that reads took, added up.'),
  writeSeconds: counter('glovebox_host_disk_write_seconds_total', 'Time that writes took, added up.'),
  busy: counter('glovebox_host_disk_busy_seconds_total', 'Time in which a disk had something to do.'),
  size: gauge('glovebox_host_filesystem_size_bytes', 'Size of a file system on a disk of the machine.'),
  free: gauge('glovebox_host_filesystem_free_bytes', 'What is free of it.'),
  available: gauge('glovebox_host_filesystem_available_bytes', 'What of it is there for others than root.'),
  inodes: gauge('glovebox_host_filesystem_files', 'Files that it can hold.'),
  freeInodes: gauge('glovebox_host_filesystem_free_files', 'Files that it could still take.'),
  received: counter('glovebox_host_network_received_bytes_total', 'Bytes that a link received.'),
  sent: counter('glovebox_host_network_sent_bytes_total', 'Bytes that a link sent.'),
  receivedPackets: counter('glovebox_host_network_received_packets_total', 'Packets that a link received.'),
  sentPackets: counter('glovebox_host_network_sent_packets_total', 'Packets that a link sent.'),
  errors: counter('glovebox_host_network_errors_total', 'Packets that were broken, by direction.'),
  dropped: counter('glovebox_host_network_dropped_total', 'Packets that were thrown away, by direction.'),
} as const

type AllCounters = ReturnType<Host['links']['allCounters']>
type Writers = ReturnType<typeof familyWriters<keyof typeof SPECS>>['of']

const NO_LABELS = ''
/** Names of /proc/meminfo by what they are called here. */
const MEMORY = {
  total: 'MemTotal',
  free: 'MemFree',
  available: 'MemAvailable',
  buffers: 'Buffers',
  cached: 'Cached',
  slab: 'Slab',
  dirty: 'Dirty',
  shared: 'Shmem',
} as const
const SWAP = { total: 'SwapTotal', free: 'SwapFree', cached: 'SwapCached' } as const
/** Links of containers have an end of their own, which their container counts. */
const OF_CONTAINERS = 'veth'
/** Bridges of ours come and go with networks; more links than this a machine hardly has. */
const MAX_LINKS = 200

/** The machine as a whole. */
export function hostSource(machine: MachinePort, host: Pick<Host, 'kernel'>, links: () => AllCounters): MetricSource {
  return {
    name: 'host',
    read: async () => {
      const { of, families } = familyWriters(SPECS)
      ofProcessors(of, machine)
      of.boot.set(NO_LABELS, host.kernel.facts().bootTimeMs / 1000)
      ofMemory(of, machine)
      ofDisks(of, machine)
      ofLinks(of, links())
      for (const { device, mountPoint, type, ...figures } of await machine.fileSystems()) {
        const labels = labelText({ device, mountpoint: mountPoint, fstype: type })
        of.size.set(labels, figures.sizeBytes)
        of.free.set(labels, figures.freeBytes)
        of.available.set(labels, figures.availableBytes)
        of.inodes.set(labels, figures.files)
        of.freeInodes.set(labels, figures.freeFiles)
      }
      return families()
    },
  }
}

function ofProcessors(of: Writers, machine: MachinePort): void {
  const { cpuSeconds, ...counts } = machine.times()
  of.cpus.set(NO_LABELS, availableParallelism())
  for (const [mode, seconds] of Object.entries(cpuSeconds)) of.cpu.set(labelText({ mode }), seconds)
  const [one, five, fifteen] = machine.load()
  of.load1.set(NO_LABELS, one)
  of.load5.set(NO_LABELS, five)
  of.load15.set(NO_LABELS, fifteen)
  of.processes.set(labelText({ state: 'running' }), counts.runningProcesses)
  of.processes.set(labelText({ state: 'blocked' }), counts.blockedProcesses)
  of.forks.set(NO_LABELS, counts.forks)
  of.switches.set(NO_LABELS, counts.contextSwitches)
  for (const resource of ['cpu', 'memory', 'io'] as const) {
    const pressure = machine.pressure(resource)
    of.waiting.set(labelText({ resource }), seconds(pressure?.someUs))
    of.stalled.set(labelText({ resource }), seconds(pressure?.fullUs))
  }
}

const seconds = (us: number | undefined) => (us === undefined ? undefined : us / 1e6)

function ofMemory(of: Writers, machine: MachinePort): void {
  const memory = machine.memory()
  for (const [kind, name] of Object.entries(MEMORY)) of.memory.set(labelText({ kind }), memory.get(name))
  for (const [kind, name] of Object.entries(SWAP)) of.swap.set(labelText({ kind }), memory.get(name))
  const files = machine.openFiles()
  of.files.set(NO_LABELS, files?.open)
  of.filesLimit.set(NO_LABELS, files?.limit)
}

function ofDisks(of: Writers, machine: MachinePort): void {
  for (const disk of machine.disks()) {
    const labels = labelText({ device: disk.name })
    of.reads.set(labels, disk.reads)
    of.writes.set(labels, disk.writes)
    of.readBytes.set(labels, disk.readBytes)
    of.writeBytes.set(labels, disk.writeBytes)
    of.readSeconds.set(labels, disk.readSeconds)
    of.writeSeconds.set(labels, disk.writeSeconds)
    of.busy.set(labels, disk.busySeconds)
  }
}

function ofLinks(of: Writers, links: AllCounters): void {
  const others = [...links].filter(([, { kind }]) => kind !== OF_CONTAINERS)
  for (const [device, counters] of others.slice(0, MAX_LINKS)) {
    const labels = labelText({ device })
    of.received.set(labels, counters.rxBytes)
    of.sent.set(labels, counters.txBytes)
    of.receivedPackets.set(labels, counters.rxPackets)
    of.sentPackets.set(labels, counters.txPackets)
    for (const [direction, errors, dropped] of [
      ['received', counters.rxErrors, counters.rxDropped],
      ['sent', counters.txErrors, counters.txDropped],
    ] as const) {
      of.errors.set(joinLabels(labels, labelText({ direction })), errors)
      of.dropped.set(joinLabels(labels, labelText({ direction })), dropped)
    }
  }
}
