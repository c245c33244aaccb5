import { isAtLeast, isEnded, type TaskState, type TaskStatus } from '#cluster/model'

import type { AgentSnapshot, AssignedTask, StepFailure } from './assigned-task.ts'
import { illnessOf, liveStatus } from './live-status.ts'
import type { NodeTask } from './node-port.ts'
import type { AgentPlan, AgentStep } from './steps.ts'
import { asideName, containerName, containersByTask, TASK_LABELS, taskSpec } from './task-spec.ts'

/**
 * How long open connections may keep a task that is to go, unless its service gives it a longer grace period. Longer ones are cut: a pool of idle ones would hold it for
 * ever.
 */
const DRAIN_MS = 5000
/** After this, once the router was told, the count of connections means something. */
const DRAIN_SETTLE_MS = 100
/** How often connections are counted while draining. */
const DRAIN_POLL_MS = 200
/** A container that cannot be made so often in a row will hardly be made here: the task is given back. */
const MAX_CREATE_FAILURES = 5

/**
 * From the tasks of a node and its containers to what is to be done next: for each task one step at most. Pure. What is told of a task goes from state to
 * state, one at a time and never back. Containers of others are not touched.
 */
export function planAgent(snapshot: AgentSnapshot): AgentPlan {
  const steps: AgentStep[] = []
  let wakeAtMs = Number.POSITIVE_INFINITY
  const out: Out = {
    step: (step) => void steps.push(step),
    wake: (atMs) => void (wakeAtMs = Math.min(wakeAtMs, Math.max(atMs, snapshot.nowMs + 1))),
  }
  const claimed = new Set<string>()
  const containerOf = containersByTask(snapshot.containers)
  const strays = strayServices(snapshot, containerOf)
  for (const assigned of snapshot.tasks) {
    const container = containerOf(assigned)
    if (container !== undefined) claimed.add(container.id)
    if (!snapshot.busy.has(assigned.task.id)) planTask(assigned, container, { ...snapshot, strays }, out)
  }
  for (const container of snapshot.containers) {
    const id = container.labels[TASK_LABELS.task]
    if (id === undefined || claimed.has(container.id) || snapshot.busy.has(container.id) || snapshot.isKnownTask(id)) continue
    out.step({ type: 'remove', assigned: null, containerId: container.id })
  }
  return { steps, wakeAtMs }
}

interface Snapshot extends AgentSnapshot {
  readonly strays: ReadonlySet<string>
}

/** Services of which something runs here that is not to run any more: on a node that was away its tasks were given to others. */
function strayServices(
  { tasks, containers, isKnownTask }: AgentSnapshot,
  containerOf: (assigned: AssignedTask) => NodeTask | undefined,
): ReadonlySet<string> {
  const strays = new Set<string>()
  for (const assigned of tasks) {
    if (!isEnded(assigned.task.status.state)) continue
    const container = containerOf(assigned)
    if (container !== undefined && isAlive(container)) strays.add(serviceKey(assigned))
  }
  for (const container of containers) {
    const id = container.labels[TASK_LABELS.task]
    if (id !== undefined && isAlive(container) && !isKnownTask(id))
      strays.add(`${container.labels[TASK_LABELS.stack] ?? ''}/${container.labels[TASK_LABELS.service] ?? ''}`)
  }
  return strays
}

function serviceKey({ service, revision }: AssignedTask): string {
  return `${service.stack ?? ''}/${revision.spec.name}`
}

interface Out {
  step(step: AgentStep): void
  wake(atMs: number): void
}

function planTask(assigned: AssignedTask, container: NodeTask | undefined, snapshot: Snapshot, out: Out): void {
  const { task } = assigned
  const failure = snapshot.memory.failures.get(task.id)
  const isForgiven = failure !== undefined && (assigned.service.forgivenAtMs ?? 0) > failure.atMs
  if (failure !== undefined && failure.nextAtMs > snapshot.nowMs && failure.type !== 'start' && !isForgiven) {
    out.wake(failure.nextAtMs)
    return sayFailure(assigned, failure, snapshot, out)
  }
  if (isEnded(task.status.state)) return planEnded(assigned, container, snapshot, out)
  if (task.desiredState === 'shutdown' || task.desiredState === 'remove') return planEnding(assigned, container, snapshot, out)
  planLiving(assigned, container, snapshot, out)
}

/** Of one that was retired, or is to be forgotten, nothing stays; of one that ended by itself its container, for its log. */
function planEnded(assigned: AssignedTask, container: NodeTask | undefined, snapshot: AgentSnapshot, out: Out): void {
  const { task } = assigned
  const { state } = task.status
  const isWanted = task.desiredState !== 'remove' && state !== 'shutdown' && isBefore(state, 'remove')
  if (container !== undefined && isAlive(container)) return out.step({ type: 'stop', assigned, containerId: container.id })
  if (container !== undefined && !isWanted) return out.step({ type: 'remove', assigned, containerId: container.id })
  if (task.desiredState === 'remove' && isBefore(state, 'remove'))
    report(assigned, { ...task.status, state: 'remove', message: 'nothing of it is left' }, snapshot, out)
}

/** Out of the routes, then its connections, then the signal; never the other way round. */
function planEnding(assigned: AssignedTask, container: NodeTask | undefined, snapshot: AgentSnapshot, out: Out): void {
  const { task } = assigned
  if (container === undefined || !isAlive(container)) {
    const exitCode = container === undefined || container.startedAtMs === null ? task.status.exitCode : container.exitCode
    const message = task.reason ?? ''
    return report(assigned, { ...notReady(task.status), state: 'shutdown', message, exitCode }, snapshot, out)
  }
  if (task.status.isReady)
    return report(assigned, { ...notReady(task.status), message: 'finishes its open connections' }, snapshot, out)
  if (task.desiredState === 'shutdown' && container.state === 'running' && !isDrained(assigned, snapshot, out)) return
  out.step({ type: 'stop', assigned, containerId: container.id })
}

function isDrained(assigned: AssignedTask, snapshot: AgentSnapshot, out: Out): boolean {
  const { nowMs, memory, connections } = snapshot
  const { task, revision, routedPorts } = assigned
  if (task.status.startedAtMs === undefined || routedPorts.length === 0) return true
  const sinceMs = memory.draining.get(task.id)
  if (sinceMs === undefined) {
    out.step({ type: 'begin-drain', assigned })
    return false
  }
  const drainedMs = nowMs - sinceMs
  const mostMs = Math.max(DRAIN_MS, revision.spec.task.stopGracePeriodMs ?? 0)
  const isSettled = drainedMs >= DRAIN_SETTLE_MS && snapshot.isRoutedAsTold(task.id)
  if (drainedMs >= mostMs || (isSettled && (connections.get(task.id) ?? 0) === 0)) return true
  out.wake(Math.min(sinceMs + mostMs, Math.max(sinceMs + DRAIN_SETTLE_MS, nowMs + DRAIN_POLL_MS)))
  return false
}

function planLiving(assigned: AssignedTask, container: NodeTask | undefined, snapshot: Snapshot, out: Out): void {
  const { task } = assigned
  const { status } = task
  const { failedSteps: _over, ...good } = status
  const goTo = (state: TaskState, message: string, more: Partial<TaskStatus> = {}) =>
    report(assigned, { ...good, state, message, error: '', ...more }, snapshot, out)
  switch (status.state) {
    case 'assigned':
      return goTo('accepted', 'taken by its node')
    case 'accepted':
      return goTo('preparing', 'its container is being made')
    case 'preparing':
      if (container !== undefined) return goTo('ready', 'its container is made', { containerId: container.id })
      return planCreate(assigned, snapshot, out)
    case 'ready':
      if (container === undefined) return fail(assigned, undefined, snapshot, out)
      if (task.desiredState !== 'running') return
      if (task.startAfterMs > snapshot.nowMs) return out.wake(task.startAfterMs)
      if (snapshot.strays.has(serviceKey(assigned))) return
      return goTo('starting', 'is being started')
    case 'starting':
      return planStarting(assigned, container, snapshot, out)
    case 'running':
      return planRunning(assigned, container, snapshot, out)
    case 'new':
    case 'pending':
    case 'complete':
    case 'shutdown':
    case 'failed':
    case 'rejected':
    case 'remove':
    case 'orphaned':
      return undefined
  }
}

function planCreate(assigned: AssignedTask, snapshot: Snapshot, out: Out): void {
  const { task } = assigned
  const failure = snapshot.memory.failures.get(task.id)
  if (failure !== undefined && (failure.isFinal === true || failure.failures >= MAX_CREATE_FAILURES))
    return report(
      assigned,
      { ...task.status, state: 'rejected', message: 'cannot be made here', error: failure.reason },
      snapshot,
      out,
    )
  // Making it may be what failed before: one in the place of another that failed is not made before its time either.
  if (task.startAfterMs > snapshot.nowMs) return out.wake(task.startAfterMs)
  if (snapshot.strays.has(serviceKey(assigned))) return
  // What it shares has to run when it is made, and not only when it starts.
  if (task.desiredState !== 'running' && sharesNamespaces(assigned)) return
  // An image that could not be had for the one before is not asked for at once.
  const isFetching = assigned.revision.imageId === null && assigned.revision.parts.pulls === true
  if (isFetching && task.startAfterMs > snapshot.nowMs) return out.wake(task.startAfterMs)
  const name = containerName(assigned)
  const holders = snapshot.containers.filter((container) => container.name === name)
  const ours = holders.filter((container) => isOurs(container))
  const isTaken = ours.some((container) => isAlive(container) || container.state === 'created')
  const aside = ours
    .filter((container) => container.state === 'exited' || container.state === 'dead')
    .map(({ id, labels }) => ({ id, name: asideName(name, labels[TASK_LABELS.task] ?? id) }))
  if (isTaken && assigned.revision.spec.containerName !== null) return
  out.step({ type: 'create', assigned, spec: taskSpec(assigned, isTaken ? asideName(name, task.id) : name), aside })
}

function sharesNamespaces({ revision }: AssignedTask): boolean {
  return Object.values(revision.spec.task.namespaces ?? {}).some((mode) => /^(service|container):/.test(String(mode)))
}

function planStarting(assigned: AssignedTask, container: NodeTask | undefined, snapshot: AgentSnapshot, out: Out): void {
  const failure = snapshot.memory.failures.get(assigned.task.id)
  if (container === undefined) return fail(assigned, undefined, snapshot, out)
  if (failure?.type === 'start' && !isAlive(container))
    return report(
      assigned,
      { ...assigned.task.status, state: 'failed', message: 'could not start', error: failure.reason },
      snapshot,
      out,
    )
  if (container.state === 'created') return out.step({ type: 'start', assigned, containerId: container.id })
  if (isAlive(container)) return report(assigned, liveStatus(container, assigned, snapshot), snapshot, out)
  // It ended before anybody saw it run.
  if (container.startedAtMs !== null)
    return report(assigned, { ...liveStatus(container, assigned, snapshot), ...NOT_READY }, snapshot, out)
  fail(assigned, container, snapshot, out)
}

const NOT_READY = { isReady: false, readySinceMs: null } as const

function planRunning(assigned: AssignedTask, container: NodeTask | undefined, snapshot: AgentSnapshot, out: Out): void {
  const { task, revision } = assigned
  if (container === undefined || !isAlive(container)) return fail(assigned, container, snapshot, out)
  const illness = illnessOf(container, assigned, snapshot)
  const status = liveStatus(container, assigned, snapshot)
  const mayStay = revision.spec.restart.condition === 'never' && container.lost === undefined
  if (illness === null || mayStay) {
    if (status !== task.status) report(assigned, status, snapshot, out)
    return
  }
  if (task.status.isReady || task.status.error === '')
    return report(assigned, { ...notReady(status), message: 'is being stopped', error: illness }, snapshot, out)
  out.step({ type: 'stop', assigned, containerId: container.id })
}

/** Its container ended, or is not there. */
function fail(assigned: AssignedTask, container: NodeTask | undefined, snapshot: AgentSnapshot, out: Out): void {
  const status = notReady(assigned.task.status)
  if (container === undefined)
    return report(
      assigned,
      { ...status, state: 'failed', message: 'ended', error: status.error === '' ? 'lost its container' : status.error },
      snapshot,
      out,
    )
  const { exitCode, isOomKilled } = container
  const error = status.error === '' ? container.error : status.error
  const isGood = exitCode === 0 && error === '' && !isOomKilled
  const startedAtMs = container.startedAtMs ?? status.startedAtMs ?? null
  const ended = { ...status, startedAtMs, exitCode, isOomKilled, error, message: `ended with exit code ${exitCode}` }
  report(assigned, { ...ended, state: isGood ? 'complete' : 'failed' }, snapshot, out)
}

function report(assigned: AssignedTask, status: TaskStatus, { nowMs }: AgentSnapshot, out: Out): void {
  const sinceMs = status.state === assigned.task.status.state ? assigned.task.status.sinceMs : nowMs
  out.step({ type: 'report', assigned, status: { ...status, sinceMs } })
}

/** What is in the way is told while it is tried again. */
function sayFailure(assigned: AssignedTask, { type, reason, failures }: StepFailure, snapshot: AgentSnapshot, out: Out): void {
  const { status } = assigned.task
  const error = `${FAILED[type] ?? 'is in trouble'}: ${reason}`
  if (!isEnded(status.state) && (status.error !== error || status.failedSteps !== failures))
    report(assigned, { ...status, error, failedSteps: failures }, snapshot, out)
}

const FAILED: Readonly<Record<string, string>> = {
  create: 'could not be created',
  stop: 'could not be stopped',
  remove: 'could not be removed',
}

function notReady(status: TaskStatus): TaskStatus {
  return { ...status, ...NOT_READY }
}

function isAlive({ state }: NodeTask): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}

function isOurs({ labels }: NodeTask): boolean {
  return labels[TASK_LABELS.task] !== undefined || labels[TASK_LABELS.stack] !== undefined
}

function isBefore(state: TaskState, other: TaskState): boolean {
  return !isAtLeast(state, other)
}
