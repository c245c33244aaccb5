import { cpus, freemem, hostname, loadavg, totalmem, uptime } from 'node:os'

import type { Clock } from '#base'
import type { LiveHost } from '#dashboard/wire'
import type { Host } from '#host'

interface CpuTimes {
  readonly busyMs: number
  readonly allMs: number
}

/** Figures of this machine, each time since the time before. */
export function hostFigures(host: Pick<Host, 'kernel' | 'files'>, root: string, clock: Clock): () => LiveHost {
  let before: CpuTimes | undefined
  return () => {
    const now = cpuTimes()
    const elapsed = before === undefined ? 0 : now.allMs - before.allMs
    const busy = before === undefined || elapsed <= 0 ? null : (now.busyMs - before.busyMs) / elapsed
    before = now
    const [load1 = 0, load5 = 0, load15 = 0] = loadavg()
    const space = host.files.space(root)
    const facts = host.kernel.facts()
    return {
      atMs: clock.nowMs(),
      name: hostname(),
      kernel: facts.release,
      cpus: facts.cpus,
      load1,
      load5,
      load15,
      busy: busy === null ? null : Math.min(1, Math.max(0, busy)),
      memoryBytes: totalmem(),
      memoryAvailableBytes: freemem(),
      diskBytes: space.totalBytes,
      diskFreeBytes: space.availableBytes,
      uptimeS: Math.round(uptime()),
    }
  }
}

function cpuTimes(): CpuTimes {
  const times = cpus().map((cpu) => cpu.times)
  const idleMs = times.reduce((sum, { idle }) => sum + idle, 0)
  const allMs = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0)
  return { busyMs: allMs - idleMs, allMs }
}
