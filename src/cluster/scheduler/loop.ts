import { messageOf, type Clock, type Log } from '#base'
import { isEnded, keyOf, prefixOf, type TaskRecord } from '#cluster/model'
import type { ClusterStore } from '#cluster/store'

import { openDesk } from './desk.ts'
import { summaryOf } from './explain.ts'
import { judgeNominations, type Nomination } from './nominations.ts'
import type { ClusterPicture, PictureEntry } from './picture.ts'
import type { PendingTask, PlacedTask, Placement, Refusal } from './port.ts'
import { MAX_MOVES, planRebalance, type Move } from './rebalance.ts'
import { isLeaving, isServing } from './records.ts'
import { createScheduler } from './scheduler.ts'
import type { SchedulerSettings } from './settings.ts'
import { writeBatches, type TaskWrite } from './write-batches.ts'

export interface SchedulingPorts {
  readonly store: ClusterStore
  /** Follows nodes, services, revisions and tasks. */
  readonly picture: ClusterPicture
  readonly clock: Clock
  readonly log: Log
  readonly settings: SchedulerSettings
  /** So often tasks are moved to where they would stand better; null: only when somebody asks for it. */
  readonly rebalanceEveryMs: number | null
  /** Told of each round in which something was decided: how long it took until it was written. */
  readonly onRound?: (ms: number) => void
}

export interface Scheduling extends AsyncDisposable {
  /** Why a task has no node, as of now; empty: it has one, or would get one. Undefined: there is no such task. */
  explain(taskId: string): readonly Refusal[] | undefined
  /** What would be moved, and why: nothing is done. Global services stand where they have to. */
  moves(): readonly Move[]
  /** Ends the tasks that stand badly, one of each service, whose place another one takes. Gives back those that it ended. */
  rebalance(): Promise<readonly Move[]>
  /** Resolves when everything that was told up to now is decided and written. */
  idle(): Promise<void>
}

/** Tasks decided on between two looks at what changed: about ten milliseconds. */
const MAX_ROUND_TASKS = 4096
/** Refusals speak of amounts that change with every task: they are written anew after so long at the earliest. */
const REFUSAL_REWRITE_MS = 10_000
/** The store did not take what was decided. */
const BROKEN_ROUND_MS = 1000
/** Somebody else wrote between the picture and the decision: the picture follows in a moment. */
const CONFLICT_MS = 20
const ALWAYS_ANEW = -1

/** Gives waiting tasks their nodes. All that it knows is made anew from the records; what it decided counts only once it is written. */
export function startScheduling(ports: SchedulingPorts): Scheduling {
  const { store, picture, clock, log, settings } = ports
  let scheduler = createScheduler(settings)
  let desk = openDesk(picture, scheduler)
  const nominations = new Map<string, Nomination>()
  /** By task: the state of the cluster's room in which it was refused, and when that was written. */
  const refused = new Map<string, { readonly roomChanges: number; readonly writtenAtMs: number }>()
  let changed = new Set<string>()
  /** Looked at since the loop was last at rest. */
  const seen = new Set<string>()
  const closing = new AbortController()
  let isStale = true
  let running: Promise<void> | undefined
  let timer: Disposable | undefined

  const trigger = (): void => {
    if (closing.signal.aborted || running !== undefined) return
    running = rounds().finally(() => {
      running = undefined
      if (isStale || changed.size > 0) trigger()
    })
  }
  const listening = picture.listen((batch) => {
    if (batch.changes.length === 0) isStale = true
    for (const { key } of batch.changes) changed.add(key)
    trigger()
  })
  trigger()

  async function rounds(): Promise<void> {
    await picture.opened
    seen.clear()
    try {
      for (let isMore = true; isMore && !closing.signal.aborted;) {
        takeChanges()
        isMore = await round()
      }
    } catch (error) {
      if (closing.signal.aborted) return
      log.error('tasks could not be placed', { error: messageOf(error) })
      isStale = true
      await rest(BROKEN_ROUND_MS)
    }
  }

  function takeChanges(): void {
    if (isStale) {
      isStale = false
      changed = new Set(KINDS_READ.flatMap((kind) => picture.range(prefixOf(kind)).map(({ key }) => key)))
      scheduler = createScheduler(settings)
      desk = openDesk(picture, scheduler)
      nominations.clear()
      refused.clear()
    }
    const keys = changed
    changed = new Set()
    desk.take(keys)
    for (const id of refused.keys()) if (!desk.waiting.has(id)) refused.delete(id)
  }

  /** True: there is more to decide. */
  async function round(): Promise<boolean> {
    const startedMs = clock.monotonicMs()
    const writes = [...settleNominations()]
    const candidates = nextTasks()
    const placements = scheduler.place(candidates.map(({ pending }) => pending))
    const byId = new Map(candidates.map((candidate) => [candidate.pending.id, candidate]))
    for (const placement of placements) {
      const candidate = byId.get(placement.taskId)
      if (candidate !== undefined) writes.push(...carryOut(placement, candidate))
    }
    const late = await writeBatches(store, writes)
    for (const write of late) undo(write)
    if (candidates.length > 0) ports.onRound?.(clock.monotonicMs() - startedMs)
    if (late.length > 0) await rest(CONFLICT_MS)
    return candidates.length === MAX_ROUND_TASKS
  }

  function nextTasks(): readonly Candidate[] {
    const candidates: Candidate[] = []
    const room = desk.roomChanges()
    for (const [id, entry] of desk.waiting) {
      if (seen.has(id) || refused.get(id)?.roomChanges === room || scheduler.nodeOf(id) !== undefined) continue
      const pending = desk.pendingOf(entry.value)
      if (pending !== null) candidates.push({ pending, entry })
    }
    const next = candidates.toSorted(byUrgency).slice(0, MAX_ROUND_TASKS)
    for (const { pending } of next) seen.add(pending.id)
    return next
  }

  function carryOut(placement: Placement, { pending, entry }: Candidate): readonly TaskWrite[] {
    const nowMs = clock.nowMs()
    if (placement.type === 'unplaced') return refusal(entry, placement.refusals, nowMs)
    refused.delete(pending.id)
    if (placement.preempts.length === 0) return [assignment(entry, placement.nodeId, placement.reason, nowMs)]
    const { nodeId, reason, preempts: waitsFor } = placement
    nominations.set(pending.id, { pending, nodeId, reason, waitsFor })
    const victims = placement.preempts.flatMap((id) => picture.get<TaskRecord>(keyOf('task', id)) ?? [])
    // They stand where they are until their node says that they ended.
    desk.markLeaving(victims.map(({ value }) => value))
    const ends = victims.flatMap(({ key, value, revision }) => {
      const reason = `it makes room for a task of ${pending.group.serviceName} with priority ${pending.group.priority}`
      const told: TaskRecord = { ...value, desiredState: 'shutdown', reason, updatedAtMs: nowMs }
      return isLeaving(value) ? [] : [{ key, revision, value: told }]
    })
    const { refusals: _, ...rest } = entry.value
    const text = `waits on ${placement.nodeId}: ${placement.reason}`
    const waits: TaskRecord = { ...rest, placement: text, updatedAtMs: nowMs }
    const own = entry.value.placement === text ? [] : [{ key: entry.key, revision: entry.revision, value: waits }]
    return ends.length + own.length === 0 ? [] : [{ puts: [...own, ...ends] }]
  }

  function* settleNominations(): Generator<TaskWrite> {
    const { free, lost, gone } = judgeNominations(nominations, desk, scheduler)
    for (const { pending } of [...free, ...lost, ...gone]) nominations.delete(pending.id)
    for (const { pending } of [...lost, ...gone]) if (!isStandingNow(pending.id)) scheduler.dropTask(pending.id)
    for (const { pending, nodeId, reason } of free) {
      const entry = desk.waiting.get(pending.id)
      if (entry !== undefined) yield assignment(entry, nodeId, reason, clock.nowMs())
    }
  }

  function refusal(entry: PictureEntry<TaskRecord>, refusals: readonly Refusal[], nowMs: number): readonly TaskWrite[] {
    const { id } = entry.value
    const writtenAtMs = refused.get(id)?.writtenAtMs ?? Number.NEGATIVE_INFINITY
    const isDue = nowMs - writtenAtMs >= REFUSAL_REWRITE_MS
    const isSame = JSON.stringify(entry.value.refusals ?? null) === JSON.stringify(refusals)
    const isWritten = !isSame && isDue
    // What it has to be near to may come without any room coming.
    const roomChanges = refusals.some(({ filter }) => filter === 'affinity') ? ALWAYS_ANEW : desk.roomChanges()
    refused.set(id, { roomChanges, writtenAtMs: isWritten ? nowMs : writtenAtMs })
    if (!isSame && !isDue) lookAgainIn(writtenAtMs + REFUSAL_REWRITE_MS - nowMs, id)
    const value: TaskRecord = { ...entry.value, placement: summaryOf(refusals), refusals, updatedAtMs: nowMs }
    return isWritten ? [{ puts: [{ key: entry.key, revision: entry.revision, value }] }] : []
  }

  /** Somebody else wrote first: the change is on its way here, and then it is decided anew. */
  function undo(write: TaskWrite): void {
    for (const { key, value } of write.puts) {
      nominations.delete(value.id)
      refused.delete(value.id)
      if (desk.waiting.has(value.id)) scheduler.dropTask(value.id)
      changed.add(key)
    }
  }

  async function rest(ms: number): Promise<void> {
    await clock.sleep(ms, closing.signal).catch(() => undefined)
  }

  function isStandingNow(id: string): boolean {
    const entry = picture.get<TaskRecord>(keyOf('task', id))
    return entry !== undefined && !desk.waiting.has(id)
  }

  function lookAgainIn(ms: number, id: string): void {
    timer ??= clock.after(ms, () => {
      timer = undefined
      for (const [other, { writtenAtMs }] of refused) refused.set(other, { roomChanges: ALWAYS_ANEW, writtenAtMs })
      changed.add(keyOf('task', id))
      trigger()
    })
  }

  const planMoves = (perService: number): readonly Move[] => {
    takeChanges()
    const { nodes, placed } = desk.snapshot()
    const isBound = ({ id }: PlacedTask) => picture.get<TaskRecord>(keyOf('task', id))?.value.slot === null
    const steady = placed.filter((task) => !isBound(task))
    // Nothing of its service may be on the way, neither in nor out.
    const moving = new Set<string>()
    for (const { value } of picture.range<TaskRecord>(prefixOf('task')))
      if (!isEnded(value.status.state) && !isServing(value)) moving.add(value.serviceId)
    const still = steady.filter(({ group }) => !moving.has(group.serviceId))
    const around = placed.filter((task) => isBound(task) || moving.has(task.group.serviceId))
    return planRebalance({ nodes, placed: still, around }, settings, perService)
  }

  async function rebalance(): Promise<readonly Move[]> {
    const done: Move[] = []
    for (const move of planMoves(1)) {
      const entry = picture.get<TaskRecord>(keyOf('task', move.taskId))
      if (entry === undefined) continue
      const reason = `it moves to ${move.to}: ${move.reason}`
      const value: TaskRecord = { ...entry.value, desiredState: 'shutdown', reason, updatedAtMs: clock.nowMs() }
      const late = await writeBatches(store, [{ puts: [{ key: entry.key, revision: entry.revision, value }] }])
      if (late.length === 0) done.push(move)
    }
    return done
  }

  async function rebalanceAgainAndAgain(everyMs: number): Promise<void> {
    await picture.opened
    for (;;) {
      await rest(everyMs)
      if (closing.signal.aborted) return
      await rebalance().catch((error: unknown) => log.error('tasks could not be moved', { error: messageOf(error) }))
    }
  }
  const rebalancing = ports.rebalanceEveryMs === null ? undefined : rebalanceAgainAndAgain(ports.rebalanceEveryMs)

  return {
    moves: () => planMoves(MAX_MOVES),
    rebalance,
    explain: (taskId) => {
      const entry = picture.get<TaskRecord>(keyOf('task', taskId))
      if (entry === undefined) return undefined
      const pending = desk.waiting.has(taskId) ? desk.pendingOf(entry.value) : null
      return pending === null || scheduler.nodeOf(taskId) !== undefined ? [] : scheduler.explain(pending)
    },
    idle: async () => {
      await picture.opened
      while (running !== undefined) await running
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      listening[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      await Promise.all([running, rebalancing])
    },
  }
}

const KINDS_READ = ['node', 'service', 'revision', 'task'] as const

interface Candidate {
  readonly pending: PendingTask
  readonly entry: PictureEntry<TaskRecord>
}

/** The highest priority first, then who has waited longest. */
function byUrgency(a: Candidate, b: Candidate): number {
  return (
    b.pending.group.priority - a.pending.group.priority ||
    a.entry.value.createdAtMs - b.entry.value.createdAtMs ||
    (a.entry.key < b.entry.key ? -1 : a.entry.key > b.entry.key ? 1 : 0)
  )
}

function assignment(entry: PictureEntry<TaskRecord>, nodeId: string, reason: string, nowMs: number): TaskWrite {
  const { refusals: _, ...task } = entry.value
  const status = { ...task.status, state: 'assigned' as const, sinceMs: nowMs, message: 'waits for its node to take it' }
  const value: TaskRecord = { ...task, nodeId, status, placement: reason, updatedAtMs: nowMs }
  return { puts: [{ key: entry.key, revision: entry.revision, value }] }
}
