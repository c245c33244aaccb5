import { BEGUN_MS, PROOF_MS } from './bounds.ts'
import { blockedBy } from './dependencies.ts'
import type { Place } from './places.ts'
import { afterEnd } from './restart-policy.ts'
import type { PlanWriter } from './service-plan.ts'
import { isLive, isStaying, targetOf, type ClusterState, type Seat, type ServiceState } from './service-state.ts'
import { taskLabel } from './task-label.ts'

/** What the plans of one service share: making, ending and refilling seats. */
export interface SeatWriter {
  create(place: Place, revision: number, reason: string, more?: { readonly atMs?: number; readonly failures?: number }): void
  /** A task that lives is told to end; the end of one that fell is marked as dealt with. */
  retire(seat: Seat, reason: string): void
  /** Another task in the place of one that fell, if its policy says so. */
  refill(seat: Seat): void
  /** Instead of what fell there: one of the wanted revision. */
  replaceFallen(seat: Seat, reason: string): void
}

export function seatWriter(state: ServiceState, cluster: ClusterState, out: PlanWriter): SeatWriter {
  const { service } = state
  const create: SeatWriter['create'] = (place, revision, reason, { atMs = 0, failures = 0 } = {}) => {
    const isHeld = atMs > cluster.nowMs || blockedBy(state, cluster, failures === 0) !== null
    const task = { ...place, revision, desiredState: isHeld ? ('ready' as const) : ('running' as const), runId: null }
    out.step({ type: 'create-task', task: { ...task, startAfterMs: atMs, failures }, reason })
  }
  const retire: SeatWriter['retire'] = ({ task }, reason) =>
    out.step({ type: 'end-task', task, desiredState: 'shutdown', reason })
  const placeOf = ({ slot, nodeId }: Seat): Place => ({ slot, nodeId: slot === null ? nodeId : null })
  return {
    create,
    retire,
    refill: (seat) => {
      const revision = seat.isCurrent ? service.revision : seat.task.revision
      const policy = state.revisions.get(revision)?.spec.restart
      if (policy === undefined) return
      const after = afterEnd(seat.task, policy, service.forgivenAtMs ?? 0)
      if (after.next === 'done') return
      const label = taskLabel(state, seat.task)
      const node = seat.slot === null && seat.nodeId !== null ? cluster.nodes.get(seat.nodeId) : undefined
      if (node !== undefined && node.status.state !== 'ready')
        return out.wait(`${label} waits until its node ${node.description.hostname} is back`, { taskId: seat.task.id })
      if (after.next === 'leave') return out.wait(`${label} ${after.reason}`, { taskId: seat.task.id, isHopeless: true })
      retire(seat, `another task takes its place: it ${after.reason}`)
      create(placeOf(seat), revision, `${label} ${after.reason}`, { atMs: after.atMs, failures: after.failures })
    },
    replaceFallen: (seat, reason) => {
      retire(seat, reason)
      create(placeOf(seat), service.revision, reason)
    },
  }
}

/** Lets tasks start whose time has come, and says what the others wait for. */
export function planStarts(state: ServiceState, cluster: ClusterState, out: PlanWriter): void {
  const ending = new Set(out.steps.flatMap((step) => (step.type === 'end-task' ? [step.task.id] : [])))
  for (const task of state.tasks) {
    if (!isLive(task) || !isStaying(task) || ending.has(task.id)) continue
    if (task.desiredState === 'ready') startOrWait(task)
    if (task.status.state !== 'running' || !task.status.isReady) sayWhyNot(task)
    else sayUnproven(task)
  }

  function startOrWait(task: ServiceState['tasks'][number]): void {
    const isForgiven = isForgivenTask(task)
    const more = { taskId: task.id, isHopeless: isLoop(task) }
    if (task.startAfterMs > cluster.nowMs && !isForgiven)
      return out.wait(`${task.reason ?? ''}; it is started again`, { ...more, untilMs: task.startAfterMs })
    const blocked = blockedBy(state, cluster, (task.failures ?? 0) === 0)
    if (blocked !== null) return out.wait(blocked, more)
    out.step({ type: 'start-task', task, isForgiven, reason: 'nothing stands against it' })
  }

  /** It has just begun to run, and nobody looks whether it works: whether it goes on is to be seen, longer where others ended before it. */
  function sayUnproven(task: ServiceState['tasks'][number]): void {
    const { health, readySinceMs, sinceMs } = task.status
    const checks = state.revisions.get(task.revision)?.spec.checks
    if (health === 'healthy' || (checks !== undefined && checks.readiness !== null)) return
    const isAgain = (task.failures ?? 0) > 0 && !isForgivenTask(task)
    const provenAtMs = (readySinceMs ?? sinceMs) + (isAgain ? PROOF_MS : BEGUN_MS)
    if (provenAtMs <= cluster.nowMs) return
    const reason = isAgain ? `${task.reason ?? ''}; it was started again` : `${taskLabel(state, task)} has just begun`
    out.wait(reason, { taskId: task.id, untilMs: provenAtMs, isHopeless: isLoop(task) })
  }

  function sayWhyNot(task: ServiceState['tasks'][number]): void {
    const { status } = task
    const label = taskLabel(state, task)
    const what = { taskId: task.id, isHopeless: isLoop(task) || (status.failedSteps ?? 0) >= HOPELESS_STEPS }
    if (task.desiredState === 'ready' && status.error === '') return
    if (status.state === 'new' || status.state === 'pending') {
      const [refusal] = task.refusals ?? []
      const why = refusal === undefined ? task.placement : `${task.placement}: ${refusal.advice}`
      return out.wait(task.placement === '' ? `${label} waits for a node` : `${label}: ${why}`, {
        ...what,
        isHopeless: refusal !== undefined,
      })
    }
    const said = status.error === '' ? status.message : status.error
    const doing = status.state === 'running' ? 'is not ready yet' : `is ${status.state}`
    out.wait(`${label} ${said === '' ? doing : said}`, what)
  }

  /** Somebody asked for the service again since it was made. */
  function isForgivenTask(task: ServiceState['tasks'][number]): boolean {
    return (state.service.forgivenAtMs ?? 0) > task.createdAtMs
  }

  function isLoop(task: ServiceState['tasks'][number]): boolean {
    return (task.failures ?? 0) >= LOOP_FAILURES && !isForgivenTask(task)
  }
}

/** As many ends in a row as make people look. */
const LOOP_FAILURES = 5
/** What failed this often in a row will hardly succeed by itself. */
const HOPELESS_STEPS = 3

/** Why no new task can be made now, whatever there is room for. */
export function blockedFromNew(
  state: ServiceState,
  cluster: ClusterState,
): { readonly reason: string; readonly isHopeless: boolean } | null {
  const target = targetOf(state)
  if (target === undefined) return { reason: `revision ${state.service.revision} is not there`, isHopeless: true }
  if (target.imageId === null && target.parts.pulls === true) {
    const failure = cluster.imageFailures?.get(target.spec.task.image)
    const reason = failure ?? `the image ${target.spec.task.image} is being pulled`
    return { reason, isHopeless: failure !== undefined }
  }
  if (target.imageId === null)
    return { reason: `the image ${target.spec.task.image} is not on this node: pull, build, load or import it`, isHopeless: true }
  const reason = blockedBy(state, cluster, true)
  return reason === null ? null : { reason, isHopeless: false }
}
