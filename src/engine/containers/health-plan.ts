import type { HealthStatus } from './record.ts'
import type { HealthSpec } from './spec.ts'

export interface ProbeResult {
  /** RFC 3339. */
  readonly start: string
  readonly end: string
  /** 0 healthy; -1 when it timed out or could not run. */
  readonly exitCode: number
  readonly output: string
}

/** As many probes as `inspect` shows. */
const MAX_LOG = 5

export const UNKNOWN_HEALTH: HealthStatus = { status: 'starting', failingStreak: 0, log: [] }

/** Health after one more probe. Failures in the start period do not count until the first success. */
export function afterProbe(spec: HealthSpec, before: HealthStatus, probe: ProbeResult, sinceStartMs: number): HealthStatus {
  const log = [...before.log, probe].slice(-MAX_LOG)
  if (probe.exitCode === 0) return { status: 'healthy', failingStreak: 0, log }
  const isInStartPeriod = before.status === 'starting' && sinceStartMs < spec.startPeriodMs
  if (isInStartPeriod) return { status: 'starting', failingStreak: 0, log }
  const failingStreak = before.failingStreak + 1
  return { status: failingStreak >= spec.retries ? 'unhealthy' : before.status, failingStreak, log }
}

/** Time until the next probe: the start interval while starting and inside the start period, then the interval. */
export function probeDelayMs(spec: HealthSpec, health: HealthStatus, sinceStartMs: number): number {
  const isInStartPeriod = health.status === 'starting' && sinceStartMs < spec.startPeriodMs
  return isInStartPeriod ? Math.min(spec.startIntervalMs, spec.intervalMs) : spec.intervalMs
}

/** The command of a probe: CMD-SHELL goes through the image's shell. */
export function probeCommand(spec: HealthSpec, shell: readonly string[] | null): readonly string[] {
  const [form, ...words] = spec.test
  return form === 'CMD-SHELL' ? [...(shell ?? ['/bin/sh', '-c']), words[0] ?? ''] : words
}

/** As Go writes durations, which is what readers of health logs know: `1m30s`, `2.5s`, `200ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor((ms % 3_600_000) / 60_000)
  const seconds = (ms % 60_000) / 1000
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`
}
