import type { ChecksSpec, CheckSpec, ProbeSpec } from '#cluster/spec'

import type { CheckVerdict } from './assigned-task.ts'

/** Runs a probe against a container. Never rejects: what goes wrong is a failed probe. */
export interface CheckPort {
  probe(
    target: { readonly containerId: string; readonly addresses: Readonly<Record<string, string>> },
    probe: ProbeSpec,
    timeoutMs: number,
  ): Promise<ProbeResult>
}

export interface ProbeResult {
  readonly isGood: boolean
  /** For people: `HTTP 503`, `connection refused`. */
  readonly output: string
}

const CHECK_KINDS = ['startup', 'readiness', 'liveness'] as const
export type CheckKind = (typeof CHECK_KINDS)[number]

/** How far one check is. */
export interface CheckState {
  readonly isGood: boolean
  /** Results in a row that say otherwise. */
  readonly contrary: number
  readonly output: string
  readonly nextAtMs: number
  readonly isProbing: boolean
}

export type TaskChecks = Readonly<Partial<Record<CheckKind, CheckState>>>

/** `wasReady`: it had passed before the agent began anew. */
export function firstChecks(spec: ChecksSpec, startedAtMs: number, wasReady: boolean): TaskChecks {
  const checks: Partial<Record<CheckKind, CheckState>> = {}
  for (const kind of CHECK_KINDS) {
    const check = spec[kind]
    if (check === null) continue
    const isGood = wasReady || kind === 'liveness'
    checks[kind] = { isGood, contrary: 0, output: '', nextAtMs: startedAtMs + check.initialDelayMs, isProbing: false }
  }
  return checks
}

/** Those to be probed now. While the start-up check has not passed the others wait; once it has, it is over. */
export function dueChecks(checks: TaskChecks, nowMs: number): readonly CheckKind[] {
  return openChecks(checks).filter((kind) => {
    const state = checks[kind]
    return state !== undefined && !state.isProbing && state.nextAtMs <= nowMs
  })
}

/** Infinity: when something happens. */
export function nextCheckAtMs(checks: TaskChecks): number {
  return Math.min(
    ...openChecks(checks).map((kind) => (checks[kind]?.isProbing === false ? checks[kind].nextAtMs : Number.POSITIVE_INFINITY)),
  )
}

function openChecks(checks: TaskChecks): readonly CheckKind[] {
  if (checks.startup?.isGood === false) return ['startup']
  return CHECK_KINDS.filter((kind) => kind !== 'startup' && checks[kind] !== undefined)
}

/** Counts one result; a check turns after as many contrary ones in a row as its spec says. */
export function afterProbe(state: CheckState, spec: CheckSpec, result: ProbeResult, nowMs: number): CheckState {
  const contrary = result.isGood === state.isGood ? 0 : state.contrary + 1
  const needed = Math.max(1, state.isGood ? spec.failures : spec.successes)
  const turns = contrary >= needed
  return {
    isGood: turns ? result.isGood : state.isGood,
    contrary: turns ? 0 : contrary,
    output: result.isGood ? '' : result.output,
    nextAtMs: nowMs + spec.intervalMs,
    isProbing: false,
  }
}

export function verdictOf(checks: TaskChecks): CheckVerdict {
  const isStarted = checks.startup?.isGood ?? true
  const isReady = checks.readiness?.isGood ?? true
  const isAlive = checks.liveness?.isGood ?? true
  const held = !isStarted ? checks.startup : !isAlive ? checks.liveness : isReady ? undefined : checks.readiness
  return { isStarted, isReady, isAlive, output: held?.output ?? '' }
}
