import type { RolloutSpec } from '#cluster/spec'

import { orderOf } from './order.ts'
import { leastUseful, oneByNode, type Places } from './places.ts'
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

  // Those that nobody misses any more first: what fell among them need not come again.
  const gone = superfluous(rolling, order, unproven)
  for (const seat of gone) seats.retire(seat, 'a task of the revision that is wanted takes its place')
  const staying = old.filter((seat) => !gone.includes(seat))
  // Nothing new comes to a node that is away.
  const fallen = staying.filter(
    (seat) => seat.isFallen && (seat.slot !== null || cluster.nodes.get(seat.nodeId ?? '')?.status.state === 'ready'),
  )
  const standing = staying.filter((seat) => !seat.isFallen)
  const renewed = fallen.slice(0, allowed)
  for (const seat of renewed) seats.replaceFallen(seat, 'what ended is made anew of the revision that is wanted')
  const most = mayRetire ? places.wanted + rolling.surge - current.length - renewed.length : places.wanted
  const again = Math.max(0, most - standing.length)
  const broken = fallen.slice(allowed)
  for (const seat of broken.slice(0, again)) seats.refill(seat)
  for (const seat of broken.slice(again)) seats.retire(seat, 'there are enough others')
  const left = allowed - renewed.length

  if (order === 'start-first') {
    const room = Math.min(left, places.wanted + rolling.surge - live.length - renewed.length)
    for (const place of places.free(room, true, renewed))
      seats.create(place, state.service.revision, `it takes the place of an older one, revision ${state.service.revision}`)
    return
  }
  for (const seat of leastUseful(standing).slice(0, left))
    seats.retire(seat, 'it makes room for a task of the revision that is wanted')
  const room = Math.min(
    places.wanted - live.length - renewed.length,
    places.wanted - held,
    rolling.newLimit - current.length - renewed.length,
  )
  for (const place of places.free(room, false, renewed))
    seats.create(place, state.service.revision, 'there are fewer tasks than wanted')
}

/** Old tasks in whose place others serve already, and those that nobody wants any more. */
function superfluous(
  { places, current, old, settings, mayRetire }: Rolling,
  order: 'start-first' | 'stop-first',
  unproven: readonly Seat[],
): readonly Seat[] {
  if (!mayRetire) return leastUseful(old).slice(0, Math.max(0, old.length - places.wanted))
  const proven = current.filter((seat) => !unproven.includes(seat))
  if (order === 'stop-first') {
    const surplus = current.length + old.length - places.wanted
    // Of those that serve as many stay as may not be missed.
    const spare = proven.length + old.length - (places.wanted - batchOf(settings, places.wanted))
    return leastUseful(old).slice(0, Math.max(0, Math.min(surplus, spare)))
  }
  const served = new Set(proven.map((seat) => seat.nodeId))
  if (places.isByNode) {
    const serving = oneByNode(old)
    return old.filter((seat) => served.has(seat.nodeId) || !serving.includes(seat))
  }
  return leastUseful(old).slice(0, Math.max(0, proven.length + old.length - places.wanted))
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
