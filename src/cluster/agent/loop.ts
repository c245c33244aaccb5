import { backoffMs, GloveboxError, messageOf, type BackoffPolicy, type Clock, type Log } from '#base'
import {
  isEnded,
  keyOf,
  prefixOf,
  type NodeRecord,
  type RevisionRecord,
  type ServiceRecord,
  type StackRecord,
  type TaskRecord,
} from '#cluster/model'
import type { Mirror } from '#cluster/services'
import type { ClusterStore } from '#cluster/store'

import type { AgentSnapshot, AssignedTask, StepFailure } from './assigned-task.ts'
import { checkLoop } from './check-loop.ts'
import type { CheckPort } from './checks.ts'
import type { agentError } from './errors.ts'
import { filledRevision } from './filled-revision.ts'
import type { NodePort } from './node-port.ts'
import { performStep } from './perform-step.ts'
import { planAgent } from './plan.ts'
import { routedPorts } from './routed-ports.ts'
import type { AgentStep } from './steps.ts'
import { containersByTask } from './task-spec.ts'

export interface AgentPorts {
  readonly nodeId: string
  readonly node: NodePort
  readonly store: ClusterStore
  /** Follows tasks, services and revisions. */
  readonly mirror: Mirror
  readonly checks: CheckPort
  /** Open connections through the router, by task id. */
  readonly connections: () => Promise<ReadonlyMap<string, number>>
  /** Of the mirror, as the router was told it last; absent: it is told at once. Whoever gives it triggers the agent when it grows. */
  readonly toldRevision?: () => number
  readonly clock: Clock
  readonly log: Log
}

export interface Agent extends AsyncDisposable {
  trigger(): void
}

/** Events of the node drive the loop; this catches those that were lost. */
const SLOW_ROUND_MS = 15_000
const BROKEN_ROUND_MS = 1000
/** As long as the round took, so that looking costs half of the time at most; longer than this nobody should wait for a start. */
const MAX_REST_MS = 20
/** Starts and stops of so many tasks at once keep a node busy; more only makes each slower. */
const MAX_STEPS_AT_ONCE = 8
/** Somebody else wrote between the picture and the report: the picture follows in a moment. */
const CONFLICT_MS = 20
const STEP_BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 30_000 }

export function startAgent(ports: AgentPorts): Agent {
  const { nodeId, node, store, mirror, clock, log } = ports
  const checks = checkLoop(ports.checks, clock)
  const draining = new Map<string, number>()
  const failures = new Map<string, StepFailure>()
  const busy = new Set<string>()
  /** Of these, those that wait for an image, until they are not wanted any more. */
  const fetching = new Map<string, AbortController>()
  /** What was reported and does not stand in the mirror yet. */
  const reported = new Map<string, number>()
  const underWay = new Set<Promise<void>>()
  /** As long as the mirror stays the same. */
  let assigned: readonly AssignedTask[] | undefined
  let isDirty = false
  let isClosed = false
  let running: Promise<void> | undefined
  let timer: Disposable | undefined

  const trigger = (): void => {
    isDirty = true
    if (isClosed || running !== undefined) return
    running = rounds().finally(() => {
      running = undefined
      if (isDirty) trigger()
    })
  }
  async function rounds(): Promise<void> {
    await mirror.opened
    while (isDirty && !isClosed) {
      isDirty = false
      timer?.[Symbol.dispose]()
      let lookAgainMs = BROKEN_ROUND_MS
      const beganMs = clock.monotonicMs()
      try {
        lookAgainMs = await oneRound()
      } catch (error) {
        log.error('the tasks of this node could not be looked at', { error: messageOf(error) })
      }
      // Of many tasks something is told all the time: what comes while it rests is looked at together.
      const restMs = Math.min(MAX_REST_MS, clock.monotonicMs() - beganMs)
      if (restMs >= 1 && !isClosed) await clock.sleep(restMs)
      if (!isClosed) timer = clock.after(lookAgainMs, trigger)
    }
  }

  /** Gives back when to look again. */
  async function oneRound(): Promise<number> {
    // A step that ends while the node is looked at counts as under way: what was seen may not show what it did.
    const busyBefore = new Set(busy)
    const containers = await node.listTasks()
    const connections = draining.size === 0 ? new Map<string, number>() : await ports.connections()
    const nowMs = clock.nowMs()
    const tasks = assignedTasks()
    forget(new Set(tasks.map(({ task }) => task.id)))
    for (const [id, waiting] of fetching) if (!tasks.some(({ task }) => task.id === id && isWanted(task))) waiting.abort()
    const containerOf = containersByTask(containers)
    const live = tasks.filter(({ task }) => task.status.state === 'running' && task.desiredState === 'running')
    const probed = live.flatMap((assigned) => {
      const container = containerOf(assigned)
      return container?.state === 'running' ? [{ assigned, container }] : []
    })
    const nextCheckAtMs = checks.look(probed, trigger)
    const snapshot: AgentSnapshot = {
      nowMs,
      tasks,
      containers,
      connections,
      memory: { draining: new Map(draining), failures: new Map(failures), checks: checks.verdicts() },
      isRoutedAsTold: (id) => (ports.toldRevision?.() ?? Number.POSITIVE_INFINITY) >= mirror.revisionOf(keyOf('task', id)),
      busy: new Set([...busyBefore, ...busy, ...unseen()]),
      isKnownTask: (id) => mirror.get(keyOf('task', id)) !== undefined,
    }
    const plan = planAgent(snapshot)
    for (const step of plan.steps)
      if (step.type === 'report' || isFetching(step) || busy.size - fetching.size < MAX_STEPS_AT_ONCE) begin(step)
    const soonest = Math.min(plan.wakeAtMs, nextCheckAtMs) - clock.nowMs()
    return Math.max(1, Math.min(SLOW_ROUND_MS, soonest))
  }

  function unseen(): readonly string[] {
    for (const [id, revision] of reported) if (revision <= mirror.revision()) reported.delete(id)
    return [...reported.keys()]
  }

  function assignedTasks(): readonly AssignedTask[] {
    return (assigned ??= readAssigned())
  }

  function readAssigned(): readonly AssignedTask[] {
    return mirror.range<TaskRecord>(prefixOf('task')).flatMap(({ value: task }) => {
      if (task.nodeId !== nodeId || task.status.state === 'new' || task.status.state === 'pending') return []
      const service = mirror.get<ServiceRecord>(keyOf('service', task.serviceId))?.value
      const revision = mirror.get<RevisionRecord>(keyOf('revision', task.serviceId, task.revision))?.value
      if (service === undefined || revision === undefined) return []
      const stack = service.stack === null ? undefined : mirror.get<StackRecord>(keyOf('stack', service.stack))?.value
      const node = mirror.get<NodeRecord>(keyOf('node', nodeId))?.value
      const filled = filledRevision(revision, { task, service, node })
      return [{ task, revision: filled, service, routedPorts: routedPorts(revision, stack) }]
    })
  }

  function forget(known: ReadonlySet<string>): void {
    for (const id of draining.keys()) if (!known.has(id)) draining.delete(id)
    for (const id of failures.keys()) if (!known.has(id)) failures.delete(id)
  }

  function begin(step: AgentStep): void {
    const subject = step.assigned?.task.id ?? ('containerId' in step ? step.containerId : '')
    busy.add(subject)
    const waiting = isFetching(step) ? new AbortController() : undefined
    if (waiting !== undefined) fetching.set(subject, waiting)
    const work = carryOut(step, subject, waiting?.signal).finally(() => {
      underWay.delete(work)
      fetching.delete(subject)
      busy.delete(subject)
      trigger()
    })
    underWay.add(work)
  }

  async function carryOut(step: AgentStep, subject: string, signal?: AbortSignal): Promise<void> {
    const revision = step.assigned === null ? 0 : mirror.revisionOf(keyOf('task', step.assigned.task.id))
    try {
      const written = await performStep(step, revision, {
        node,
        store,
        nowMs: () => clock.nowMs(),
        beginDrain: (id) => void draining.set(id, clock.nowMs()),
        ...(signal === undefined ? {} : { signal }),
      })
      if (written === null) await clock.sleep(CONFLICT_MS)
      else if (written > 0) reported.set(subject, written)
      if (step.type !== 'report' && step.type !== 'begin-drain') failures.delete(subject)
      else if (step.type === 'report' && isEnded(step.status.state)) draining.delete(subject)
    } catch (error) {
      const times = (failures.get(subject)?.failures ?? 0) + 1
      const isFinal =
        error instanceof GloveboxError && error.code === ('task.image_missing' satisfies keyof typeof agentError.codes)
      const atMs = clock.nowMs()
      const nextAtMs = atMs + (isFinal ? 0 : backoffMs(STEP_BACKOFF, times))
      const reason = messageOf(error)
      failures.set(subject, { type: step.type, failures: times, atMs, nextAtMs, reason, isFinal })
      log.warn('a step of a task failed', { task: subject, step: step.type, error: reason })
    }
  }

  const events = node.events(trigger)
  const following = mirror.listen(() => {
    assigned = undefined
    trigger()
  })
  trigger()
  return {
    trigger,
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      events[Symbol.dispose]()
      following[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      await running
      await Promise.all(underWay)
    },
  }
}

/** It waits for a registry, for minutes maybe, and keeps the node from nothing. */
function isFetching(step: AgentStep): boolean {
  return step.type === 'create' && step.spec.pulls === true
}

function isWanted({ desiredState }: TaskRecord): boolean {
  return desiredState === 'ready' || desiredState === 'running'
}
