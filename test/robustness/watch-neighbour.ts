import { run } from '../support/processes.ts'
import type { Survivor } from '../kernel/survival-fixture.ts'
import { memoryBytesOf } from '../kernel/survival-traces.ts'
import { type AnswerTime, ownTimes, stopwatch } from './answer-times.ts'
import { apiClient, percentile } from './api-client.ts'

/** What the others notice while somebody misbehaves. */
export interface Noticed {
  readonly apiP50Ms: number
  readonly apiP99Ms: number
  /** Without what the daemon had to wait for a processor. */
  readonly ownApiP99Ms: number
  /** From one container to another, over the bridge. */
  readonly packetMaxMs: number
  readonly packetsLost: number
  readonly peakMemoryBytes: number
}

const API_INTERVAL_MS = 20

/** Two containers on the bridge, of which the first can ask the second. */
export async function startNeighbours(s: Survivor): Promise<void> {
  for (const name of ['near', 'far']) await s.must('run', '-d', '--name', name, 'busybox', 'sleep', '100000')
}

/** Asks the daemon and the neighbour all the time while `work` goes on. */
export async function during<T>(s: Survivor, work: () => Promise<T>): Promise<{ readonly noticed: Noticed; readonly result: T }> {
  let isOver = false
  const api = apiClient(s.socketPath)
  const times: AnswerTime[] = []
  const watch = stopwatch(s.pid())
  let peakMemoryBytes = 0
  const ask = async () => {
    while (!isOver) {
      times.push(await watch.ping(api))
      peakMemoryBytes = Math.max(peakMemoryBytes, memoryBytesOf(s.pid()))
      await new Promise((resolve) => setTimeout(resolve, API_INTERVAL_MS))
    }
  }
  const packets: number[] = []
  let packetsLost = 0
  const far = (await s.inspect('far')).NetworkSettings.IPAddress
  const { Pid } = (await s.inspect('near')).State
  const pingFar = async () => {
    while (!isOver) {
      // In the other's network namespace, so that no exec of the daemon's comes into the figure.
      const { stdout } = await run('nsenter', [
        '-t',
        String(Pid),
        '-n',
        '-r',
        '/bin/busybox',
        'ping',
        '-c',
        '5',
        '-i',
        '0.1',
        '-W',
        '2',
        far,
      ])
      packets.push(...[...stdout.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms)))
      packetsLost += 5 - [...stdout.matchAll(/time=/g)].length
    }
  }
  const watching = Promise.all([ask(), pingFar()])
  try {
    const result = await work()
    isOver = true
    await watching
    const taken = times.map(({ tookMs }) => tookMs)
    const shares = { apiP50Ms: percentile(taken, 0.5), apiP99Ms: percentile(taken, 0.99) }
    const ownApiP99Ms = percentile(ownTimes(times, watch.stretch()), 0.99)
    return { noticed: { ...shares, ownApiP99Ms, packetMaxMs: Math.max(0, ...packets), packetsLost, peakMemoryBytes }, result }
  } finally {
    isOver = true
    await watching.catch(() => undefined)
    api.close()
  }
}

export function told({ apiP50Ms, apiP99Ms, ownApiP99Ms, packetMaxMs, packetsLost, peakMemoryBytes }: Noticed): string {
  return `API p50 ${apiP50Ms.toFixed(1)} ms, p99 ${apiP99Ms.toFixed(1)} ms, its own ${ownApiP99Ms.toFixed(1)} ms; packets at most ${packetMaxMs.toFixed(1)} ms, ${packetsLost} lost; daemon ${Math.round(peakMemoryBytes / 1e6)} MB`
}
