import { MAX_CHANGES_AT_ONCE } from './bounds.ts'
import { isExclusive, orderOf } from './order.ts'
import { keepBest, oneByNode, placesOf } from './places.ts'
import { batchOf, planRolling } from './plan-rolling.ts'
import { nextRollout, stageOf, type RolloutView } from './plan-rollout.ts'
import { blockedFromNew, planStarts, seatWriter, type SeatWriter } from './plan-seats.ts'
import { isMoving, settingsOf } from './rollout-progress.ts'
import type { PlanWriter } from './service-plan.ts'
import { isDisplaced, isLive, isStaying, seatsOf, type ClusterState, type Seat, type ServiceState } from './service-state.ts'

/** The tasks of a service that is to run on and on: tasks too many go, older ones are replaced, missing ones come, ended ones come again. */
export function planTasks(state: ServiceState, cluster: ClusterState, out: PlanWriter): void {
  const { service } = state
  const seats = seatsOf(state, cluster)
  const writer = seatWriter(state, cluster, out)
  if (service.state === 'paused') {
    for (const seat of seats.filter((candidate) => candidate.isFallen)) writer.refill(seat)
    planStarts(state, cluster, out)
    return out.wait('it is paused: nothing is replaced, scaled or rolled until somebody resumes it', { isHopeless: true })
  }
  const places = placesOf(state, cluster, seats)
  const foreign = seats.filter((seat) => places.isForeign(seat))
  const homely = seats.filter((seat) => !places.isForeign(seat))
  const settings = settingsOf(state)
  if (settings === undefined) return out.wait(`revision ${service.revision} is not there`, { isHopeless: true })
  const view: RolloutView = {
    state,
    cluster,
    places,
    settings,
    current: homely.filter((seat) => seat.isCurrent),
    old: homely.filter((seat) => !seat.isCurrent),
  }
  const next = nextRollout(view, out)
  // The record first: what follows from it is the next plan's.
  if (next !== null) return out.step({ type: 'change-service', service: next.service, reason: next.reason })
  for (const seat of foreign) writer.retire(seat, 'it is not wanted on this node')
  if (isHeld(state)) planHeld(view, writer, out)
  else planMoving(view, writer, out)
  planStarts(state, cluster, out)
}

/** Failures stopped the rollout: what is there stays as it is. */
function isHeld({ service }: ServiceState): boolean {
  return service.rollout?.state === 'paused'
}

function planHeld({ state, places, current, old }: RolloutView, writer: SeatWriter, out: PlanWriter): void {
  const { rollout } = state.service
  out.wait(
    `the rollout to revision ${rollout?.to ?? state.service.revision} stands still: ${rollout?.reason ?? ''}; resume, promote or abort it`,
    {
      isHopeless: true,
    },
  )
  const kept = places.isByNode ? [...old, ...current] : keepBest([...old, ...current], places.wanted)
  for (const seat of [...old, ...current].filter((candidate) => !kept.includes(candidate)))
    writer.retire(seat, 'there are more tasks than wanted')
  for (const seat of kept.filter((candidate) => candidate.isFallen)) writer.refill(seat)
  const from = rollout?.from ?? state.service.revision
  const revision = state.revisions.has(from) ? from : state.service.revision
  for (const place of places.free(places.wanted - kept.length, false))
    writer.create(place, revision, 'there are fewer tasks than wanted')
}

function planMoving(view: RolloutView, writer: SeatWriter, out: PlanWriter): void {
  const { places, current, old, settings } = view
  const kept = places.isByNode ? oneByNode(current) : keepBest(current, places.wanted)
  for (const seat of current.filter((candidate) => !kept.includes(candidate)))
    writer.retire(seat, 'there are more tasks than wanted')
  for (const seat of kept.filter((candidate) => candidate.isFallen)) writer.refill(seat)
  if (old.length > 0) {
    const stage = stageOf(view)
    const surge = stage.surge ?? batchOf(settings, places.wanted)
    return planRolling({ ...view, current: kept, newLimit: stage.newLimit, surge, mayRetire: stage.mayRetire }, writer, out)
  }
  createMissing(view, kept, writer, out)
}

function createMissing(view: RolloutView, kept: readonly Seat[], writer: SeatWriter, out: PlanWriter): void {
  const { state, cluster, places, settings } = view
  const missing = places.wanted - kept.length
  if (missing <= 0) return
  const target = state.revisions.get(state.service.revision)
  // A node that fetches the image says what became of that in the task.
  if (target === undefined || (target.imageId === null && target.parts.pulls !== true)) {
    const blocked = blockedFromNew(state, cluster)
    return out.wait(blocked?.reason ?? '', { isHopeless: true })
  }
  const leaving = state.tasks.filter((task) => task.runId === null && isLive(task) && !isStaying(task))
  const isReplacing = isMoving(state.service.rollout) || leaving.some((task) => isDisplaced(task, cluster))
  // Of those that must not run side by side none comes before the other is gone; nor the last of those that are replaced stop-first.
  const isAfter = isExclusive(state, target.spec, cluster) || (isReplacing && orderOf(state, cluster, settings) === 'stop-first')
  const room = isAfter ? missing - leaving.length : missing
  for (const place of places.free(Math.min(room, MAX_CHANGES_AT_ONCE), false))
    writer.create(place, state.service.revision, `${missing} of ${places.wanted} wanted ${missing === 1 ? 'is' : 'are'} missing`)
  if (room < missing) out.wait('it waits until the older tasks are gone')
}
