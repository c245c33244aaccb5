import { statSync } from 'node:fs'
import { arch } from 'node:os'

import type { Clock } from '#base'
import { familyWriters, labelText, type MetricSource, type MetricSpec } from '#observe/metrics'

import { PROGRAM_VERSION } from '../program-version.ts'

const counter = (name: string, help: string): MetricSpec => ({ name, help, type: 'counter', isKept: true })
const gauge = (name: string, help: string): MetricSpec => ({ name, help, type: 'gauge', isKept: true })

const SPECS = {
  info: { ...gauge('glovebox_daemon_info', 'Which program this is; always 1.'), isKept: false },
  started: gauge('glovebox_daemon_start_time_seconds', 'When the daemon was started, in seconds since 1970.'),
  cpu: counter('glovebox_daemon_cpu_seconds_total', 'Processor time of the daemon, by mode.'),
  resident: gauge('glovebox_daemon_resident_memory_bytes', 'Memory of the daemon.'),
  heap: gauge('glovebox_daemon_heap_bytes', 'Memory for JavaScript values, by what it is used for.'),
  busy: counter('glovebox_daemon_event_loop_seconds_total', 'Time of the event loop, by whether it had something to do.'),
  store: gauge('glovebox_store_size_bytes', 'Size of the files that the daemon keeps records in.'),
} as const

export interface DaemonSourceNeeds {
  readonly clock: Clock
  readonly startedAtMs: number
  /** Files by what they are called here. */
  readonly files: Readonly<Record<string, string>>
}

/** The daemon's own process. What it asks for is counted where it is done. */
export function daemonSource({ startedAtMs, files }: DaemonSourceNeeds): MetricSource {
  return {
    name: 'daemon',
    read: () => {
      const { of, families } = familyWriters(SPECS)
      of.info.set(labelText({ version: PROGRAM_VERSION, node: process.version, arch: arch() }), 1)
      of.started.set('', startedAtMs / 1000)
      const { user, system } = process.cpuUsage()
      of.cpu.set(labelText({ mode: 'user' }), user / 1e6)
      of.cpu.set(labelText({ mode: 'system' }), system / 1e6)
      const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
      of.resident.set('', rss)
      for (const [kind, bytes] of Object.entries({ used: heapUsed, reserved: heapTotal, external }))
        of.heap.set(labelText({ kind }), bytes)
      const { idle, active } = performance.eventLoopUtilization()
      of.busy.set(labelText({ state: 'busy' }), active / 1000)
      of.busy.set(labelText({ state: 'idle' }), idle / 1000)
      for (const [store, path] of Object.entries(files))
        of.store.set(labelText({ store }), (sizeOf(path) ?? 0) + (sizeOf(`${path}-wal`) ?? 0))
      return families()
    },
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}
