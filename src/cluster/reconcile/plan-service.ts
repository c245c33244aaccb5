import { afterEnd, CRASH_LOOP_FAILURES } from './crashes.ts'
import { blockedBy } from './dependencies.ts'
import type { PlanWriter } from './plan-writer.ts'
import { retireTask, type Retirement } from './retire-task.ts'
import { isAlive, isCompleted, isReady, type ServiceView, type StackView, type TaskView } from './stack-view.ts'
import { type Snapshot, UNDER_WAY } from './steps.ts'
import { networkOf, taskSpec, volumeOf } from './task-spec.ts'

/** One service of an active stack: tasks too many go, tasks of an older spec are replaced one by one, missing ones come, ended ones start again. */
export function planService(stack: StackView, service: ServiceView, snapshot: Snapshot, out: PlanWriter): void {
  const current = service.tasks.filter((view) => view.isCurrent && view.task.state !== 'dead' && view.task.state !== 'removing')
  const kept = keepBest(current, service.spec.replicas)
  for (const view of current.filter((candidate) => !kept.includes(candidate))) retire(view, 'there are more tasks than replicas')
  const gone = service.tasks.filter((view) => !current.includes(view))
  for (const view of gone.filter((candidate) => !isAlive(candidate))) retire(view, 'it is of no use any more')
  const old = gone.filter(isAlive)
  if (old.length > 0) replaceOld(stack, service, kept, old, snapshot, out)
  else createMissing(stack, service, service.spec.replicas - kept.length - service.pendingNumbers.length, snapshot, out)
  for (const view of kept) planTask(stack, service, view, snapshot, out)

  function retire(view: TaskView, reason: string): void {
    retireTask(view, retirementOf(stack, service, reason, 'remove'), snapshot, out)
  }
}

function retirementOf(stack: StackView, service: ServiceView, reason: string, end: Retirement['end']): Retirement {
  const shouldDrain = service.spec.ports.some((port) => port.mode === 'ingress')
  return { stack: stack.record.spec.name, service: service.spec.name, reason, shouldDrain, end }
}

/** Those that serve first, then the lowest numbers, as people expect of a scale-down. */
function keepBest(tasks: readonly TaskView[], replicas: number): readonly TaskView[] {
  const rank = (view: TaskView) => (isReady(view) ? 0 : isAlive(view) ? 1 : 2) + (view.isDraining ? 3 : 0)
  return tasks.toSorted((a, b) => rank(a) - rank(b) || a.number - b.number).slice(0, replicas)
}

/**
 * One at a time: a new task comes and gets ready, then an old one goes. Where the two must not run side by side the old one goes first,
 * but not before the new one could be made. A new task that does not get ready holds everything up, and the old ones go on serving.
 */
function replaceOld(
  stack: StackView,
  service: ServiceView,
  kept: readonly TaskView[],
  old: readonly TaskView[],
  snapshot: Snapshot,
  out: PlanWriter,
): void {
  const { replicas } = service.spec
  const surge = isExclusive(stack, service) ? 0 : 1
  const live = kept.length + old.length + service.pendingNumbers.length
  const unsettled = kept.find((view) => !isProven(service, view, snapshot.nowMs) || view.isBusy)
  const isSettled = unsettled === undefined && service.pendingNumbers.length === 0
  const retireOld = (count: number) => {
    const leaving = old.toSorted(
      (a, b) => Number(b.isDraining) - Number(a.isDraining) || Number(isReady(a)) - Number(isReady(b)) || a.number - b.number,
    )
    for (const view of leaving.slice(0, count))
      retireTask(view, retirementOf(stack, service, 'a task of the new spec takes its place', 'remove'), snapshot, out)
  }
  if (live > replicas + surge) return retireOld(live - replicas - surge)
  if (!isSettled) {
    const reason = `the new task ${unsettled?.task.name ?? ''} must prove itself before the next old one goes`
    const place = { stack: stack.record.spec.name, service: service.spec.name, task: unsettled?.task.name ?? null }
    return out.wait({ ...place, reason, untilMs: snapshot.nowMs + PROOF_MS })
  }
  if (live > replicas) return retireOld(1)
  if (live < replicas + surge) return createMissing(stack, service, 1, snapshot, out)
  const blocked = blockedFrom(stack, service, snapshot)
  if (blocked !== null) return out.wait({ stack: stack.record.spec.name, service: service.spec.name, task: null, ...blocked })
  retireOld(1)
}

/** Without a health check, having run for so long is all that can be asked of a new task before an old one goes. */
const PROOF_MS = 1500

function isProven({ spec }: ServiceView, view: TaskView, nowMs: number): boolean {
  if (isCompleted(view) && spec.restart.condition !== 'always') return true
  return isReady(view) && (view.task.health === 'healthy' || nowMs - (view.task.startedAtMs ?? nowMs) >= PROOF_MS)
}

/** Two tasks of it must not run at once: they would share a name, a host port, one writer's files, or a job. */
function isExclusive(stack: StackView, { spec }: ServiceView): boolean {
  const writes = spec.task.mounts.some(
    (mount) => mount.type !== 'tmpfs' && !mount.isReadOnly && !(mount.type === 'volume' && mount.volume === null),
  )
  const isAwaited = stack.record.spec.services.some((other) =>
    other.dependsOn.some((dependency) => dependency.service === spec.name && dependency.condition === 'completed_successfully'),
  )
  const hasHostPort = spec.ports.some((port) => port.mode === 'host' && port.published !== null)
  return (
    (writes && spec.replicas === 1) ||
    spec.containerName !== null ||
    hasHostPort ||
    isAwaited ||
    spec.restart.condition === 'never'
  )
}

function createMissing(stack: StackView, service: ServiceView, count: number, snapshot: Snapshot, out: PlanWriter): void {
  if (count <= 0) return
  const { name } = service.spec
  const place = { stack: stack.record.spec.name, service: name }
  const blocked = blockedFrom(stack, service, snapshot)
  const imageId = stack.record.images[name]
  if (blocked !== null || imageId === undefined) return out.wait({ ...place, task: null, reason: '', ...blocked })
  const taken = new Set([...service.tasks.map((view) => view.number), ...service.pendingNumbers])
  for (let number = 1, made = 0; made < count; number += 1) {
    if (taken.has(number)) continue
    made += 1
    const task = taskSpec(stack.record, service.spec, number, imageId)
    out.step({ ...place, type: 'create-task', subject: `task/${task.name}`, task, reason: `${made} of ${count} missing` })
    if (service.spec.containerName !== null) return
  }
}

/** Why a new task cannot be made now. */
function blockedFrom(
  stack: StackView,
  service: ServiceView,
  snapshot: Snapshot,
): { readonly reason: string; readonly isHopeless: boolean } | null {
  const { spec } = stack.record
  const { task, name } = service.spec
  if (stack.record.images[name] === undefined)
    return { reason: `the image ${task.image} is not on this node: build, load or import it`, isHopeless: true }
  const networks = task.networks.map((attachment) => networkOf(spec, attachment.network))
  const volumes = task.mounts.flatMap((mount) =>
    mount.type === 'volume' && mount.volume !== null ? [volumeOf(spec, mount.volume)] : [],
  )
  const network = networks.find((candidate) => !snapshot.networks.includes(candidate.name))
  if (network !== undefined) return missing('network', network)
  const volume = volumes.find((candidate) => !snapshot.volumes.includes(candidate.name))
  if (volume !== undefined) return missing('volume', volume)
  const reason = blockedBy(stack, service, true)
  return reason === null ? null : { reason, isHopeless: false }
}

function missing(kind: string, { name, isExternal }: { readonly name: string; readonly isExternal: boolean }) {
  if (!isExternal) return { reason: `waits for the ${kind} ${name}`, isHopeless: false }
  return { reason: `the external ${kind} ${name} does not exist: create it, or take "external" away`, isHopeless: true }
}

/** A task that is to stay: brings it to running. */
function planTask(stack: StackView, service: ServiceView, view: TaskView, snapshot: Snapshot, out: PlanWriter): void {
  const { task } = view
  const place = { stack: stack.record.spec.name, service: service.spec.name, task: task.name }
  const subject = `task/${task.name}`
  const start = (reason: string) => {
    const blocked = blockedBy(stack, service, task.state === 'created')
    if (blocked !== null) return out.wait({ ...place, reason: blocked })
    out.step({ ...place, subject, type: 'start-task', id: task.id, reason })
  }
  switch (task.state) {
    case 'created':
      return start('it has not run yet')
    case 'exited':
      return planEnded()
    case 'paused':
      return out.wait({ ...place, reason: `${task.name} is paused`, isHopeless: true })
    case 'running':
      if (view.isBusy)
        return out.wait({ ...place, reason: `${task.name} ${UNDER_WAY[snapshot.busy.get(subject)?.type ?? 'start-task']}` })
      if (task.health === 'unhealthy') return planUnhealthy()
      if (view.isDraining) out.step({ ...place, subject, type: 'undrain-task', id: task.id, reason: 'it is to stay after all' })
      if (task.health === 'starting') out.wait({ ...place, reason: `${task.name} is not healthy yet${said(task.healthOutput)}` })
      return
    case 'restarting':
    case 'removing':
    case 'dead':
      return out.wait({ ...place, reason: `${task.name} is ${task.state}` })
  }

  function planEnded(): void {
    const crash = snapshot.memory.crashes.get(task.name) ?? { failures: 1, finishedAtMs: task.finishedAtMs ?? snapshot.nowMs }
    const after = afterEnd(task, service.spec.restart, crash, snapshot.memory.startAgain.has(task.id))
    if (after.next === 'done') return
    if (after.next === 'leave') return out.wait({ ...place, reason: `${task.name} ${after.reason}`, isHopeless: true })
    if (after.atMs <= snapshot.nowMs) return start(after.reason)
    out.wait({
      ...place,
      reason: `${task.name} ${after.reason}; it is started again`,
      untilMs: after.atMs,
      isHopeless: after.isLoop,
    })
  }

  /** It is stopped and started again, as often as its policy allows; the back-off between is that of crashes. */
  function planUnhealthy(): void {
    const reason = `${task.name} is unhealthy${said(task.healthOutput)}`
    if (service.spec.restart.condition === 'never') return out.wait({ ...place, reason, isHopeless: true })
    const failures = snapshot.memory.crashes.get(task.name)?.failures ?? 0
    out.wait({ ...place, reason, isHopeless: failures >= CRASH_LOOP_FAILURES })
    retireTask(view, { ...retirementOf(stack, service, reason, 'start'), shouldDrain: false }, snapshot, out)
  }
}

/** Probe output is somebody else's text of any length. */
const MAX_SAID = 200

function said(output: string): string {
  const text = output.trim().slice(0, MAX_SAID)
  return text === '' ? '' : `: ${text}`
}
