import { readFileSync } from 'node:fs'

import type { ApiClient } from './api-client.ts'

/** What one answer took. */
export interface AnswerTime {
  readonly tookMs: number
  /**
   * Without the time in which the daemon or this process could have gone on and had no processor. A daemon that works, sleeps or waits for
   * the kernel when it should answer has all of that in here, however busy the machine is.
   */
  readonly ownMs: number
}

/** Asks the daemon whose main thread is `pid` for the least that it can be asked for. */
export async function timedPing(api: ApiClient, pid: number): Promise<AnswerTime> {
  const waitedMs = () => processorWaitMs(pid) + processorWaitMs(process.pid)
  const beforeMs = waitedMs()
  const startMs = performance.now()
  const { status } = await api.send('GET', '/_ping')
  const tookMs = performance.now() - startMs
  if (status !== 200) throw new Error(`ping: ${status}`)
  return { tookMs, ownMs: Math.max(0, tookMs - (waitedMs() - beforeMs)) }
}

/** How long the main thread of a process has stood in the scheduler's queue in its life (Documentation/scheduler/sched-stats.rst). */
function processorWaitMs(pid: number): number {
  const [, waitNs = '0'] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')
  return Number(waitNs) / 1e6
}
