import type { RolloutSpec } from '#cluster/spec'

import { orderOf } from './order.ts'
import { leastUseful, type Places } from './places.ts'
import { blockedFromNew, type SeatWriter } from './plan-seats.ts'
import { provenAtMs } from './rollout-progress.ts'
import type { PlanWriter } from './service-plan.ts'
import { isLive, isStaying, type ClusterState, type Seat, type ServiceState } from './service-state.ts'
import { taskLabel } from './task-label.ts'

export interface Rolling {
  readonly state: ServiceState
  readonly cluster: ClusterState
  readonly places: Places
  readonly current: readonly Seat[]
  readonly old: readonly Seat[]
  readonly settings: RolloutSpec
  /** So many of the wanted revision there may be at this stage. */
  readonly newLimit: number
  /** So many tasks more than wanted there may be. */
  readonly surge: number
  /** False: the old ones stay, whatever there is of new ones. */
  readonly mayRetire: boolean
}

/** The next bit of the way from the old tasks to new ones. What fell of the old is made new first, as nobody misses it. */
export function planRolling(rolling: Rolling, seats: SeatWriter, out: PlanWriter): void {
  const { state, cluster, places, current, old, settings, mayRetire } = rolling
  const blocked = blockedFromNew(state, cluster)
  if (blocked !== null) {
    out.wait(blocked.reason, { isHopeless: blocked.isHopeless })
    for (const seat of old.filter((candidate) => candidate.isFallen)) seats.refill(seat)
    return
  }
  const order = mayRetire ? orderOf(state, cluster, settings) : 'start-first'
  const live = state.tasks.filter((task) => task.runId === null && isLive(task))
  const leaving = live.filter((task) => !isStaying(task)).length
  const unproven = current.filter((seat) => provenAtMs(state, seat, settings.monitorMs) > cluster.nowMs)
  const parallelism = batchOf(settings, places.wanted)
  const held = current.length + old.length
  const flight = unproven.length + (order === 'stop-first' ? leaving + Math.max(0, places.wanted - held) : 0)
  const budget = Math.min(mayRetire ? parallelism - flight : rolling.surge, rolling.newLimit - current.length)
  const pause = pauseUntilMs(rolling, unproven, leaving)
  const allowed = pause > cluster.nowMs ? 0 : Math.max(0, budget)
  if (pause > cluster.nowMs && Number.isFinite(pause)) out.wait('it waits between two batches', { untilMs: pause })
  sayUnproven(rolling, unproven, out)

  const fallen = old.filter((seat) => seat.isFallen)
  const standing = old.filter((seat) => !seat.isFallen)
  const renewed = fallen.slice(0, allowed)
  for (const seat of renewed) seats.replaceFallen(seat, 'what ended is made anew of the revision that is wanted')
  for (const seat of fallen.slice(allowed)) seats.refill(seat)
  const left = allowed - renewed.length

  if (order === 'stop-first') {
    const surplus = Math.max(0, held - places.wanted)
    for (const seat of leastUseful(standing).slice(0, Math.min(standing.length, surplus + left)))
      seats.retire(seat, 'it makes room for a task of the revision that is wanted')
    const room = Math.min(
      places.wanted - live.length - renewed.length,
      places.wanted - held,
      rolling.newLimit - current.length - renewed.length,
    )
    for (const place of places.free(room, false)) seats.create(place, state.service.revision, 'there are fewer tasks than wanted')
    return
  }
  const room = Math.min(left, places.wanted + rolling.surge - live.length - renewed.length)
  for (const place of places.free(room, true))
    seats.create(place, state.service.revision, `it takes the place of an older one, revision ${state.service.revision}`)
  if (!mayRetire) return
  const proven = current.filter((seat) => !unproven.includes(seat))
  const served = new Set(proven.map((seat) => seat.nodeId))
  const candidates = places.isByNode ? standing.filter((seat) => served.has(seat.nodeId)) : standing
  const excess = proven.length + standing.length + fallen.length - places.wanted
  for (const seat of leastUseful(candidates).slice(0, Math.max(0, excess)))
    seats.retire(seat, 'a task of the revision that is wanted takes its place')
}

/** Tasks that are replaced at the same time. */
export function batchOf({ parallelism }: RolloutSpec, wanted: number): number {
  return Math.max(1, parallelism === 0 ? wanted : Math.min(parallelism, wanted))
}

/** With a delay one batch is over before the next begins. */
function pauseUntilMs({ state, current, settings }: Rolling, unproven: readonly Seat[], leaving: number): number {
  const { rollout } = state.service
  if (settings.delayMs === 0 || rollout === null) return 0
  const batch = current.filter((seat) => seat.task.createdAtMs >= rollout.startedAtMs)
  if (batch.length === 0) return 0
  if (unproven.length > 0 || leaving > 0) return Number.POSITIVE_INFINITY
  return Math.max(...batch.map((seat) => provenAtMs(state, seat, settings.monitorMs))) + settings.delayMs
}

function sayUnproven({ state, cluster, settings }: Rolling, unproven: readonly Seat[], out: PlanWriter): void {
  const first = unproven[0]
  if (first === undefined) return
  const atMs = provenAtMs(state, first, settings.monitorMs)
  out.wait(`the new task ${taskLabel(state, first.task)} must prove itself before the next old one goes`, {
    taskId: first.task.id,
    untilMs: Number.isFinite(atMs) ? Math.max(atMs, cluster.nowMs + 1) : null,
  })
}
