import { readFileSync } from 'node:fs'

import { type ApiClient, percentile } from './api-client.ts'

/** What one answer took, and of that what the daemon can be blamed for. */
export interface AnswerTime {
  readonly tookMs: number
  /** The daemon's main thread had a processor. */
  readonly workedMs: number
  /** Nobody waited for a processor, and the daemon did nothing: it slept, or waited in the kernel for what somebody else holds. */
  readonly stoodMs: number
}

export interface Stopwatch {
  /** Asks the daemon for the least that it can be asked for. */
  ping(api: ApiClient): Promise<AnswerTime>
  /** How many times as long as its work the daemon's main thread took since the beginning, for want of a processor. At least 1. */
  stretch(): number
}

/** `pid`: of the daemon. */
export function stopwatch(pid: number): Stopwatch {
  const first = processorTimes(pid)
  return {
    ping: async (api) => {
      const [daemon, own] = [processorTimes(pid), processorTimes(process.pid)]
      const startMs = performance.now()
      const { status } = await api.send('GET', '/_ping')
      const tookMs = performance.now() - startMs
      if (status !== 200) throw new Error(`ping: ${status}`)
      const [daemonNow, ownNow] = [processorTimes(pid), processorTimes(process.pid)]
      const workedMs = daemonNow.workedMs - daemon.workedMs
      const waitedMs = daemonNow.waitedMs - daemon.waitedMs + ownNow.waitedMs - own.waitedMs
      return { tookMs, workedMs, stoodMs: Math.max(0, tookMs - workedMs - waitedMs) }
    },
    stretch: () => {
      const { workedMs, waitedMs } = processorTimes(pid)
      const worked = workedMs - first.workedMs
      return worked === 0 ? 1 : 1 + (waitedMs - first.waitedMs) / worked
    },
  }
}

/**
 * What the answers would have taken on a machine with nothing else to do: the daemon's own work, and the time for which it stood divided by
 * the stretch, for those who hold what it waits for want a processor as much. A daemon that works or stands when it should answer has that
 * in here, however busy the machine is.
 */
export function ownTimes(times: readonly AnswerTime[], stretch: number): readonly number[] {
  return times.map(({ workedMs, stoodMs }) => workedMs + stoodMs / stretch)
}

/** Median, 99th percentile and the most. */
export function shown(times: readonly number[]): string {
  return [0.5, 0.99, 1].map((share) => percentile(times, share).toFixed(1)).join(', ')
}

/** Of the main thread of a process in its life: on a processor, and in the queue for one (Documentation/scheduler/sched-stats.rst). */
function processorTimes(pid: number): { readonly workedMs: number; readonly waitedMs: number } {
  const [workedNs = '0', waitedNs = '0'] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')
  return { workedMs: Number(workedNs) / 1e6, waitedMs: Number(waitedNs) / 1e6 }
}
