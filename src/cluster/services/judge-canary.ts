import type { Judgement } from '#cluster/model'
import type { CanarySpec } from '#cluster/spec'

import type { RolloutSample, RouteSample } from './service-state.ts'

/** What the traffic of both revisions says of the new one. Pure. */
export function judgeCanary(canary: CanarySpec, sample: RolloutSample | undefined, atMs: number, step: number): Judgement {
  const judged = (verdict: Judgement['verdict'], reason: string): Judgement => ({ atMs, step, verdict, reason })
  const fresh = sample?.new ?? NOTHING
  if (fresh.requests < canary.minRequests)
    return judged('too-little', `${fresh.requests} of the ${canary.minRequests} requests that a judgement needs`)
  const ratio = fresh.requests === 0 ? 0 : fresh.errors / fresh.requests
  if (ratio > canary.maxErrorRatio)
    return judged(
      'bad',
      `error ratio ${round(ratio)} of ${fresh.requests} requests, at most ${round(canary.maxErrorRatio)} allowed`,
    )
  const before = sample?.old.latencyMs ?? null
  if (fresh.latencyMs !== null && before !== null && before > 0) {
    const slower = fresh.latencyMs / before
    const what = `latency (p${Math.round(canary.latencyPercentile * 100)}) ${round(fresh.latencyMs)} ms against ${round(before)} ms`
    if (slower > canary.maxLatencyRatio)
      return judged('bad', `${what} is ${round(slower)} times as much, at most ${round(canary.maxLatencyRatio)} allowed`)
  }
  return judged(
    'good',
    `error ratio ${round(ratio)} of ${fresh.requests} requests, at most ${round(canary.maxErrorRatio)} allowed`,
  )
}

const NOTHING: RouteSample = { requests: 0, errors: 0, latencyMs: null }

function round(value: number): string {
  return String(Number(value.toPrecision(3)))
}
