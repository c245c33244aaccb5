import type { RolloutRecord, ServiceRecord } from '#cluster/model'
import type { RolloutSpec } from '#cluster/spec'

import { KEPT_FAILED_TASKS } from './bounds.ts'
import { judgeCanary } from './judge-canary.ts'
import { isExclusive } from './order.ts'
import type { Places } from './places.ts'
import { failedItsProof, isMoving, provenAtMs, rolledBack, withRollout } from './rollout-progress.ts'
import type { PlanWriter } from './service-plan.ts'
import { targetOf, type ClusterState, type Seat, type ServiceState } from './service-state.ts'

export interface RolloutView {
  readonly state: ServiceState
  readonly cluster: ClusterState
  readonly places: Places
  readonly current: readonly Seat[]
  readonly old: readonly Seat[]
  readonly settings: RolloutSpec
}

/** How far the new revision may go at this stage. */
export interface Stage {
  readonly newLimit: number
  readonly surge: number | null
  readonly mayRetire: boolean
}

/** The strategies but `rolling` hold old tasks until the new ones have shown themselves. Going back never waits. */
export function stageOf(view: RolloutView): Stage {
  const { state, places, settings } = view
  const { rollout } = state.service
  const whole = { newLimit: places.wanted, surge: null, mayRetire: true }
  const strategy = strategyOf(view)
  if (rollout?.state !== 'running' || strategy === 'rolling') return whole
  if (strategy === 'blue-green')
    return rollout.step >= SWITCHED + 1 ? whole : { ...whole, surge: places.wanted, mayRetire: false }
  const step = settings.canary?.steps[rollout.step]
  const isWhole = step === undefined || rollout.isPromoted
  if (isWhole && rollout.weightPercent === 100) return whole
  const share = isWhole ? places.wanted : Math.max(1, Math.ceil((places.wanted * step.weightPercent) / 100))
  const newLimit = Math.min(places.wanted, share)
  return { newLimit, surge: newLimit, mayRetire: false }
}

/** Where two tasks must not run side by side there is only one way. */
function strategyOf({ state, cluster, places, settings }: RolloutView): RolloutSpec['strategy'] {
  const spec = targetOf(state)?.spec
  if (places.isByNode || spec === undefined || isExclusive(state, spec, cluster)) return 'rolling'
  return settings.strategy
}

/** Of blue-green: all traffic goes to the new tasks, the old ones stand by. */
const SWITCHED = 1

/** The next state of the rollout's record; null: it stays as it is. Written before anything is done because of it. */
export function nextRollout(
  view: RolloutView,
  out: PlanWriter,
): { readonly service: ServiceRecord; readonly reason: string } | null {
  const { service } = view.state
  const { rollout } = service
  if (!isMoving(rollout)) return null
  return (
    judgeFailures(view, rollout) ?? judgeImage(view, rollout) ?? nextStep(view, rollout, out) ?? completion(view, rollout, out)
  )
}

function judgeFailures({ state, cluster, places, settings }: RolloutView, rollout: RolloutRecord) {
  const { service } = state
  const failed = state.tasks.filter((task) => failedItsProof({ task }, rollout, settings.monitorMs))
  const fresh = failed.filter((task) => !rollout.failedTasks.includes(task.id))
  if (fresh.length === 0) return null
  const failedTasks = [...rollout.failedTasks, ...fresh.map((task) => task.id)].slice(-KEPT_FAILED_TASKS)
  const counted = { ...service, rollout: { ...rollout, failedTasks } }
  const ratio = failedTasks.length / Math.max(1, places.wanted)
  const last = fresh.at(-1)
  const why = `${failedTasks.length} new task${failedTasks.length === 1 ? '' : 's'} failed: ${last?.status.error === '' ? `exit code ${last.status.exitCode}` : last?.status.error}`
  if (ratio <= settings.maxFailureRatio || rollout.isPromoted || settings.failureAction === 'continue')
    return { service: withRollout(counted, { reason: why }, cluster.nowMs), reason: why }
  return failure(counted, settings, why, cluster.nowMs)
}

/** An image that cannot be had is as a task that fails, but for those that serve: they stay. */
function judgeImage({ state, cluster, settings }: RolloutView, rollout: RolloutRecord) {
  const target = targetOf(state)
  if (rollout.state !== 'running' || target?.imageId !== null || settings.failureAction === 'continue') return null
  const why = cluster.imageFailures?.get(target.spec.task.image)
  return why === undefined ? null : failure(state.service, settings, why, cluster.nowMs)
}

function failure(service: ServiceRecord, settings: RolloutSpec, why: string, nowMs: number) {
  const { rollout } = service
  const canGoBack = settings.failureAction === 'rollback' && rollout?.state === 'running' && rollout.from !== null
  if (canGoBack) return { service: rolledBack(service, why, nowMs, 'failure'), reason: `rolled back: ${why}` }
  return { service: withRollout(service, { state: 'paused', reason: why }, nowMs), reason: `paused: ${why}` }
}

function nextStep(view: RolloutView, rollout: RolloutRecord, out: PlanWriter) {
  if (rollout.state !== 'running') return null
  const strategy = strategyOf(view)
  if (strategy === 'blue-green') return nextBlueGreen(view, rollout, out)
  if (strategy === 'canary') return nextCanary(view, rollout, out)
  return null
}

/** 0: the new tasks come, without traffic. 1: all traffic goes to them, and the old ones stand by. 2: the old ones go. */
function nextBlueGreen(view: RolloutView, rollout: RolloutRecord, out: PlanWriter) {
  const { state, cluster, settings, places } = view
  const { nowMs } = cluster
  if (rollout.step === 0) {
    const readyAtMs = provenBy(view, places.wanted) + (rollout.isPromoted ? 0 : settings.monitorMs)
    if (readyAtMs > nowMs) {
      out.wait('the new tasks must prove themselves before traffic goes to them', { untilMs: finite(readyAtMs) })
      return rollout.weightPercent === 0
        ? null
        : stepTo(state, { weightPercent: 0 }, 'the new tasks come up without traffic', nowMs)
    }
    return stepTo(
      state,
      { step: SWITCHED, stepStartedAtMs: nowMs, weightPercent: 100 },
      'all traffic goes to the new tasks',
      nowMs,
    )
  }
  if (rollout.step === SWITCHED) {
    const overAtMs = rollout.stepStartedAtMs + settings.monitorMs
    if (!rollout.isPromoted && overAtMs > nowMs) {
      out.wait('the old tasks stand by for a while', { untilMs: overAtMs })
      return null
    }
    return stepTo(state, { step: SWITCHED + 1, stepStartedAtMs: nowMs }, 'the old tasks go', nowMs)
  }
  return null
}

function nextCanary(view: RolloutView, rollout: RolloutRecord, out: PlanWriter) {
  const { state, cluster, settings, places } = view
  const { nowMs } = cluster
  const { canary } = settings
  if (canary === null || rollout.weightPercent === 100) return null
  const step = canary.steps[rollout.step]
  if (step === undefined || rollout.isPromoted) {
    if (step === undefined && canary.isPromotedByHand && !rollout.isPromoted) {
      out.wait('every step went well; it waits for somebody to promote or abort it', { isHeld: true })
      return null
    }
    const atMs = provenBy(view, places.wanted)
    if (atMs > nowMs) {
      out.wait('the new tasks must prove themselves before all traffic goes to them', { untilMs: finite(atMs) })
      return null
    }
    return stepTo(state, { stepStartedAtMs: nowMs, weightPercent: 100 }, 'all traffic goes to the new tasks', nowMs)
  }
  if (rollout.weightPercent !== step.weightPercent) {
    const atMs = provenBy(view, Math.min(places.wanted, Math.max(1, Math.ceil((places.wanted * step.weightPercent) / 100))))
    if (atMs > nowMs) {
      out.wait(`the new tasks must prove themselves before ${step.weightPercent} % of the traffic goes to them`, {
        untilMs: finite(atMs),
      })
      return rollout.weightPercent === null
        ? stepTo(state, { weightPercent: 0 }, 'the new tasks come up without traffic', nowMs)
        : null
    }
    return stepTo(
      state,
      { stepStartedAtMs: nowMs, weightPercent: step.weightPercent },
      `${step.weightPercent} % of the traffic goes to the new tasks`,
      nowMs,
    )
  }
  const judgement = judgeCanary(canary, cluster.metrics.get(state.service.id), nowMs, rollout.step)
  const judged = { ...state.service, rollout: { ...rollout, judgements: [...rollout.judgements, judgement] } }
  if (judgement.verdict === 'bad') {
    const why = `step ${rollout.step + 1} of the canary: ${judgement.reason}`
    if (settings.failureAction !== 'continue') return failure(withRollout(judged, {}, nowMs), settings, why, nowMs)
  }
  const overAtMs = rollout.stepStartedAtMs + step.holdMs
  if (overAtMs > nowMs || judgement.verdict === 'too-little') {
    const reason = `the canary has ${step.weightPercent} % of the traffic: ${judgement.reason}`
    const againAtMs = nowMs + JUDGE_EVERY_MS
    out.wait(reason, { untilMs: overAtMs > nowMs ? Math.min(overAtMs, againAtMs) : againAtMs })
    return null
  }
  const next = {
    ...rollout,
    step: rollout.step + 1,
    stepStartedAtMs: nowMs,
    reason: judgement.reason,
    judgements: [...rollout.judgements, judgement],
  }
  return { service: withRollout(state.service, next, nowMs), reason: judgement.reason }
}

/** How often a canary is looked at: a bad one is to harm nobody for longer than it takes to see it. */
const JUDGE_EVERY_MS = 1000

function stepTo({ service }: ServiceState, change: Partial<RolloutRecord>, reason: string, nowMs: number) {
  return { service: withRollout(service, { ...change, reason }, nowMs), reason }
}

/** When so many tasks of the wanted revision have proven themselves; Infinity: it is not to be seen yet. */
function provenBy({ state, current, settings }: RolloutView, count: number): number {
  const times = current.map((seat) => provenAtMs(state, seat, settings.monitorMs)).toSorted((a, b) => a - b)
  return count === 0 ? 0 : (times[count - 1] ?? Number.POSITIVE_INFINITY)
}

function completion(view: RolloutView, rollout: RolloutRecord, out: PlanWriter) {
  const { state, cluster, places, current, old, settings } = view
  const stage = stageOf(view)
  if (old.length > 0 || current.length < places.wanted || !stage.mayRetire) return null
  const atMs = provenBy(view, places.wanted)
  const overAtMs = atMs + settings.monitorMs
  if (overAtMs > cluster.nowMs && places.wanted > 0 && !rollout.isPromoted) {
    out.wake(overAtMs)
    return null
  }
  const isBack = rollout.state === 'rolling-back'
  const reason = isBack ? rollout.reason : `every task is of revision ${rollout.to}`
  const end = {
    state: isBack ? ('rolled-back' as const) : ('completed' as const),
    endedAtMs: cluster.nowMs,
    weightPercent: null,
    reason,
  }
  return { service: withRollout(state.service, end, cluster.nowMs), reason }
}

function finite(atMs: number): number | null {
  return Number.isFinite(atMs) ? atMs : null
}
