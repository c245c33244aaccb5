import { messageOf, type Clock, type Log } from '#base'
import { keyOf, prefixOf, type RunRecord, type ScheduleRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import type { ClusterPicture } from '#cluster/scheduler'
import { MAX_WRITES, type ClusterStore, type Transaction } from '#cluster/store'

import { jobStateOf } from './job-sight.ts'
import { planJob } from './plan.ts'
import type { JobStep } from './steps.ts'

export interface JobLoopPorts {
  readonly store: ClusterStore
  /** Follows nodes, services, revisions, tasks, runs and schedules. */
  readonly picture: ClusterPicture
  readonly clock: Clock
  readonly log: Log
}

/** A clock that is set, or a machine that slept, is noticed after so long. */
const LOOK_AGAIN_MS = 60_000
const BROKEN_ROUND_MS = 1000
/** Somebody else wrote between the picture and the plan: the picture follows in a moment. */
const CONFLICT_MS = 20

/** Makes, ends and forgets runs. One transaction for each job: a loop that died in between finds all of it or nothing. */
export function startJobs(ports: JobLoopPorts): AsyncDisposable {
  const { store, picture, clock, log } = ports
  const tasks = jobTasks(picture)
  const due = new Map<string, number>()
  const closing = new AbortController()
  let dirty = new Set<string>()
  let isStale = true
  let running: Promise<void> | undefined
  let timer: Disposable | undefined

  const trigger = (): void => {
    if (closing.signal.aborted || running !== undefined) return
    running = rounds().finally(() => {
      running = undefined
      if (isStale || dirty.size > 0) trigger()
    })
  }
  const listening = picture.listen(({ changes }) => {
    if (changes.length === 0) isStale = true
    for (const { key } of changes) for (const id of concernedBy(key)) dirty.add(id)
    if (isStale || dirty.size > 0) trigger()
  })
  trigger()

  function concernedBy(key: string): Iterable<string> {
    const [kind = '', id = ''] = key.split('/')
    switch (kind) {
      case 'task':
        return tasks.take(id)
      case 'node':
        return tasks.services()
      case 'service':
      case 'revision':
      case 'run':
      case 'schedule':
        return [id]
      default:
        return []
    }
  }

  async function rounds(): Promise<void> {
    await picture.opened
    try {
      const ids = takeDirty()
      for (const id of ids) if (!closing.signal.aborted) await planOne(id)
    } catch (error) {
      if (closing.signal.aborted) return
      log.error('jobs could not be looked at', { error: messageOf(error) })
      isStale = true
      await rest(BROKEN_ROUND_MS)
    }
    lookAgain()
  }

  function takeDirty(): ReadonlySet<string> {
    const nowMs = clock.nowMs()
    if (isStale) {
      isStale = false
      due.clear()
      tasks.takeAll()
      for (const kind of ['service', 'run', 'schedule'] as const)
        for (const { key } of picture.range(prefixOf(kind))) dirty.add(key.split('/')[1] ?? '')
    }
    for (const [id, atMs] of due) if (atMs <= nowMs) dirty.add(id)
    const taken = dirty
    dirty = new Set()
    return taken
  }

  async function planOne(serviceId: string): Promise<void> {
    const state = jobStateOf(picture, serviceId, tasks.of(serviceId))
    due.delete(serviceId)
    if (state === undefined) return
    try {
      const plan = planJob(state, clock.nowMs())
      if (plan.nextMs !== null) due.set(serviceId, plan.nextMs)
      for (const transaction of transactionsOf(plan.steps)) {
        if ((await store.write(transaction)) !== null) continue
        dirty.add(serviceId)
        return await rest(CONFLICT_MS)
      }
    } catch (error) {
      if (closing.signal.aborted) return
      // One job that cannot be carried out does not hold up the others.
      const name = picture.get<ServiceRecord>(keyOf('service', serviceId))?.value.name ?? serviceId
      log.error('a job could not be carried out', { job: name, error: messageOf(error) })
      due.set(serviceId, clock.nowMs() + LOOK_AGAIN_MS)
    }
  }

  /** The revision that the picture has: whoever wrote since then is not overwritten. */
  function transactionsOf(steps: readonly JobStep[]): readonly Transaction[] {
    const transactions: Transaction[] = []
    for (let from = 0; from < steps.length; from += MAX_WRITES) {
      const part = steps.slice(from, from + MAX_WRITES).map((step) => ({ step, key: stepKey(step) }))
      transactions.push({
        conditions: part.map(({ step, key }) => ({
          key,
          revision: step.type === 'make-run' ? 0 : (picture.get(key)?.revision ?? 0),
        })),
        puts: part.flatMap(({ step, key }) => {
          const value = valueOf(step)
          return value === null ? [] : [{ key, value }]
        }),
        deletes: part.flatMap(({ step, key }) => (step.type === 'forget-run' || step.type === 'forget-schedule' ? [key] : [])),
      })
    }
    return transactions
  }

  function lookAgain(): void {
    timer?.[Symbol.dispose]()
    if (closing.signal.aborted || due.size === 0) return
    const waitMs = Math.min(LOOK_AGAIN_MS, Math.max(1, Math.min(...due.values()) - clock.nowMs()))
    timer = clock.after(waitMs, trigger)
  }

  async function rest(ms: number): Promise<void> {
    await clock.sleep(ms, closing.signal).catch(() => undefined)
  }

  return {
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      listening[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      await running
      timer?.[Symbol.dispose]()
    },
  }
}

function valueOf(step: JobStep): RunRecord | ScheduleRecord | null {
  if (step.type === 'keep-schedule') return step.schedule
  return step.type === 'make-run' || step.type === 'end-run' ? step.run : null
}

function stepKey(step: JobStep): string {
  return 'run' in step ? keyOf('run', step.run.serviceId, step.run.id) : keyOf('schedule', step.schedule.serviceId)
}

/** Tasks of runs by service: a small part of all tasks, and the only ones looked at. */
function jobTasks(picture: ClusterPicture) {
  const byService = new Map<string, Map<string, TaskRecord>>()
  const serviceOf = new Map<string, string>()
  const forget = (id: string): readonly string[] => {
    const serviceId = serviceOf.get(id)
    if (serviceId === undefined) return []
    serviceOf.delete(id)
    const tasks = byService.get(serviceId)
    tasks?.delete(id)
    if (tasks?.size === 0) byService.delete(serviceId)
    return [serviceId]
  }
  const put = (task: TaskRecord | undefined): readonly string[] => {
    if (task === undefined || task.runId === null) return []
    serviceOf.set(task.id, task.serviceId)
    byService.set(task.serviceId, (byService.get(task.serviceId) ?? new Map()).set(task.id, task))
    return [task.serviceId]
  }
  return {
    /** Gives back the services that it concerns. */
    take: (id: string): readonly string[] => [...forget(id), ...put(picture.get<TaskRecord>(keyOf('task', id))?.value)],
    takeAll: (): void => {
      byService.clear()
      serviceOf.clear()
      for (const { value } of picture.range<TaskRecord>(prefixOf('task'))) put(value)
    },
    of: (serviceId: string): readonly TaskRecord[] => [...(byService.get(serviceId)?.values() ?? [])],
    services: (): readonly string[] => [...byService.keys()],
  }
}
