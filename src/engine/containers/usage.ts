import { readFileSync } from 'node:fs'

import type { CgroupUsage } from '#host'

import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import type { LiveContainer } from './live.ts'
import { cgroupPathOf } from './paths.ts'
import type { ContainerUsage, TopProcess } from './port.ts'

function cgroupOf(context: Context, live: LiveContainer): string {
  return cgroupPathOf(context, live.record.id, live.record.spec.resources.cgroupParent)
}

/** The container's processes as the host sees them. */
export function topOf(context: Context, live: LiveContainer): readonly TopProcess[] {
  if (live.process === null) throw containerError('container.not_running', `container ${live.record.id} is not running`)
  const nowMs = context.clock.nowMs()
  return context.host.processes.details(context.host.cgroups.pids(cgroupOf(context, live))).map((process) => ({
    pid: process.pid,
    insidePid: process.namespacePid,
    ppid: process.parentPid,
    uid: process.uid,
    user: process.user,
    cpuSeconds: process.cpuMs / 1000,
    cpuPercent: (100 * process.cpuMs) / Math.max(1, nowMs - process.startedAtMs),
    rssBytes: process.rssBytes,
    startedAtMs: process.startedAtMs,
    tty: process.terminal === 0 ? '?' : `pts/${process.terminal & 0xff}`,
    command: process.commandLine.length === 0 ? `[${process.commandName}]` : process.commandLine.join(' '),
  }))
}

export function statsOf(context: Context, live: LiveContainer): ContainerUsage {
  const usage = context.host.cgroups.usage(cgroupOf(context, live))
  const facts = context.host.kernel.facts()
  return {
    readAtMs: context.clock.nowMs(),
    systemCpuNs: systemCpuNs(),
    onlineCpus: facts.cpus,
    ...cpuOf(usage),
    memoryUsageBytes: usage?.memoryBytes ?? 0,
    ...(usage?.memoryPeakBytes === undefined ? {} : { memoryPeakBytes: usage.memoryPeakBytes }),
    memoryLimitBytes: usage?.memoryLimitBytes ?? (usage === undefined ? 0 : facts.memoryBytes),
    memoryInactiveFileBytes: usage?.memoryInactiveFileBytes ?? 0,
    memoryStats: usage?.memoryStat ?? {},
    pids: usage?.pids ?? 0,
    pidsLimit: usage?.pidsLimit ?? 0,
    io: (usage?.ioDevices ?? []).flatMap(({ major, minor, ...device }) => [
      { major, minor, operation: 'read' as const, bytes: device.readBytes, operations: device.readOperations },
      { major, minor, operation: 'write' as const, bytes: device.writeBytes, operations: device.writeOperations },
    ]),
    networks: live.process === null ? {} : context.networks.statistics(live.record.id),
  }
}

function cpuOf(usage: CgroupUsage | undefined) {
  return {
    cpuTotalNs: usage?.cpuNs ?? 0,
    cpuUserNs: usage?.cpuUserNs ?? 0,
    cpuSystemNs: usage?.cpuSystemNs ?? 0,
    ...(usage?.cpuPerCoreNs === undefined ? {} : { cpuPerCoreNs: usage.cpuPerCoreNs }),
    throttledPeriods: usage?.throttledPeriods ?? 0,
    totalPeriods: usage?.cpuPeriods ?? 0,
    throttledNs: usage?.throttledNs ?? 0,
  }
}

/** proc_stat(5) counts in ticks of 1/100 s. */
const TICK_NS = 10_000_000

function systemCpuNs(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.trim().split(/\s+/).slice(1, 9) ?? []
  return fields.reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_NS
}
