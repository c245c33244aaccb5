import { backoffMs, during, messageOf, type BackoffPolicy, type Clock, type Log } from '#base'

import { countCrashes } from './crashes.ts'
import type { NodePort } from './node-port.ts'
import { performStep } from './perform-step.ts'
import { planReconcile } from './plan.ts'
import type { RoutePort } from './route-port.ts'
import type { StackRecord } from './stack-record.ts'
import type { Crash, Plan, Snapshot, Step, StepFailure } from './steps.ts'

export interface ReconcilerPorts {
  readonly node: NodePort
  readonly routes: RoutePort
  readonly clock: Clock
  readonly log: Log
  /** What is wanted. */
  readonly stacks: () => readonly StackRecord[]
  /** Fills in what a record still lacks (image ids, host ports), as far as it can be found now. Called before each round. */
  readonly complete: () => Promise<void>
  readonly forgetStack: (name: string) => void
}

export interface Round {
  readonly snapshot: Snapshot
  readonly plan: Plan
}

export interface Reconciler extends AsyncDisposable {
  /** Something may have changed: look soon. */
  trigger(): void
  /** The user changed the stack: what failed before may work now. */
  forgive(stack: string): void
  /** The last round; undefined before the first. */
  last(): Round | undefined
  /** Called after each round. */
  listen(listener: (round: Round) => void): Disposable
}

/** Events of the node are what drives the loop; this catches those that were lost. */
const SLOW_ROUND_MS = 15_000
/** Starts and stops of so many tasks at once keep a node busy; more only makes each slower. */
const MAX_STEPS_AT_ONCE = 8
const STEP_BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 30_000 }
/** The node or the router does not answer. */
const BROKEN_ROUND_MS = 1000

export function startReconciler(ports: ReconcilerPorts): Reconciler {
  const { node, routes, clock, log } = ports
  let crashes: ReadonlyMap<string, Crash> = new Map()
  const notes = { draining: new Map<string, number>(), startAgain: new Set<string>() }
  const stepFailures = new Map<string, StepFailure & { readonly stack: string }>()
  let routeFailures: ReadonlyMap<string, string> = new Map()
  const busy = new Map<string, Step>()
  const underWay = new Set<Promise<void>>()
  const listeners = new Set<(round: Round) => void>()
  let last: Round | undefined
  let isDirty = false
  let running: Promise<void> | undefined
  let isClosed = false
  let timer: Disposable | undefined

  const trigger = () => {
    isDirty = true
    if (isClosed || running !== undefined) return
    running = runRounds().finally(() => {
      running = undefined
      if (isDirty) trigger()
    })
  }

  async function runRounds(): Promise<void> {
    while (isDirty && !isClosed) {
      isDirty = false
      timer?.[Symbol.dispose]()
      try {
        lookAgainIn(await oneRound())
      } catch (error) {
        log.error('the reconciler could not finish a round', { error: messageOf(error) })
        lookAgainIn(BROKEN_ROUND_MS)
      }
    }
  }

  function lookAgainIn(ms: number): void {
    timer?.[Symbol.dispose]()
    if (!isClosed) timer = clock.after(ms, trigger)
  }

  /** Gives back when to look again. */
  async function oneRound(): Promise<number> {
    // A step that ends while the snapshot is taken counts as under way: the snapshot may not show what it did.
    const busyBefore = new Map(busy)
    await ports.complete()
    const snapshot = await takeSnapshot(busyBefore)
    const plan = planReconcile(snapshot)
    const failures = await routes.apply(plan.routes)
    const failed = new Map(failures.map((failure) => [failure.id, failure.reason]))
    const isNews = failed.size !== routeFailures.size || [...failed].some(([id, reason]) => routeFailures.get(id) !== reason)
    isDirty ||= isNews
    routeFailures = failed
    for (const step of plan.steps.slice(0, Math.max(0, MAX_STEPS_AT_ONCE - busy.size))) begin(step)
    const seen = { ...snapshot, memory: { ...snapshot.memory, routeFailures } }
    // The plan spoke of the failures of last time: whoever asks for the state must not hear that all is well.
    last = { snapshot: seen, plan: isNews ? planReconcile(seen) : plan }
    for (const listener of listeners) listener(last)
    const soonest = Math.min(...plan.waits.map((wait) => wait.untilMs ?? Number.POSITIVE_INFINITY))
    return Math.max(1, Math.min(SLOW_ROUND_MS, soonest - clock.nowMs()))
  }

  async function takeSnapshot(busyBefore: ReadonlyMap<string, Step>): Promise<Snapshot> {
    const [tasks, networks, volumes, connections] = await Promise.all([
      node.listTasks(),
      node.listNetworks(),
      node.listVolumes(),
      notes.draining.size === 0 ? new Map<string, number>() : routes.connections(),
    ])
    const nowMs = clock.nowMs()
    crashes = countCrashes(crashes, tasks, nowMs)
    for (const id of notes.draining.keys())
      if (!tasks.some((task) => task.id === id && task.state === 'running')) notes.draining.delete(id)
    for (const [subject, failure] of stepFailures)
      if (!ports.stacks().some((record) => record.spec.name === failure.stack)) stepFailures.delete(subject)
    for (const id of notes.startAgain) if (!tasks.some((task) => task.id === id)) notes.startAgain.delete(id)
    const memory = {
      crashes,
      draining: new Map(notes.draining),
      startAgain: new Set(notes.startAgain),
      stepFailures: new Map(stepFailures),
      routeFailures,
    }
    return {
      nowMs,
      stacks: ports.stacks(),
      tasks,
      networks,
      volumes,
      connections,
      memory,
      busy: new Map([...busyBefore, ...busy]),
    }
  }

  function begin(step: Step): void {
    busy.set(step.subject, step)
    log.debug(step.type, { subject: step.subject, reason: step.reason })
    const work = carryOut(step).finally(() => {
      underWay.delete(work)
      busy.delete(step.subject)
      trigger()
    })
    underWay.add(work)
  }

  async function carryOut(step: Step): Promise<void> {
    try {
      await performStep(step, { node, notes, nowMs: () => clock.nowMs(), forgetStack: ports.forgetStack })
      stepFailures.delete(step.subject)
    } catch (error) {
      const failures = (stepFailures.get(step.subject)?.failures ?? 0) + 1
      const reason = during(step.type.replace('-', ' '), error).message
      const nextAtMs = clock.nowMs() + backoffMs(STEP_BACKOFF, failures)
      stepFailures.set(step.subject, {
        failures,
        nextAtMs,
        reason: `${step.subject.replace(/^[a-z]+\//, '')}: ${reason}`,
        stack: step.stack,
      })
      log.warn(reason, { subject: step.subject, failures })
    }
  }

  const events = node.events(trigger)
  return {
    trigger,
    forgive: (stack) => {
      for (const [subject, failure] of stepFailures) if (failure.stack === stack) stepFailures.delete(subject)
      crashes = new Map([...crashes].filter(([name]) => !name.startsWith(`${stack}-`)))
      trigger()
    },
    last: () => last,
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      events[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      await running
      await Promise.all(underWay)
    },
  }
}
