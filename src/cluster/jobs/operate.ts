import type { Clock, Random } from '#base'
import {
  isEnded,
  keyOf,
  prefixOf,
  type RevisionRecord,
  type RunRecord,
  type ScheduleRecord,
  type ServiceRecord,
  type TaskRecord,
} from '#cluster/model'
import type { ClusterStore, Entry, Transaction } from '#cluster/store'

import { cancelledByHand, resumedByHand, runByHand, suspendedByHand } from './by-hand.ts'
import { jobsError } from './errors.ts'
import type { Jobs, JobView, RunView } from './port.ts'
import { jobName, jobView, runName, runView, runViews, type JobRecords } from './views.ts'

export interface JobsPorts {
  readonly store: ClusterStore
  readonly clock: Clock
  readonly random: Random
}

/** The loops write the same records now and then; more conflicts in a row than this are no accident. */
const MAX_TRIES = 20
const CONFLICT_MS = 5
const RUN_ID_BYTES = 4

/** What was read of one job, with what has to be unchanged when it is written. */
interface JobNow extends JobRecords {
  readonly serviceEntry: Entry<ServiceRecord>
  readonly scheduleRevision: number
  readonly runRevisions: ReadonlyMap<string, number>
}

export function openJobs({ store, clock, random }: JobsPorts): Jobs {
  const values = async <T>(prefix: string) => (await store.range<T>(prefix)).entries.map(({ value }) => value)

  /** Undefined: it is no job. The schedule is read before the runs: whoever makes one in between changes the schedule too. */
  async function recordsOf(entry: Entry<ServiceRecord>, allTasks?: readonly TaskRecord[]): Promise<JobNow | undefined> {
    const service = entry.value
    const revision = (await store.get<RevisionRecord>(keyOf('revision', service.id, service.revision)))?.value
    if (revision === undefined || revision.spec.job === null) return undefined
    const schedule = await store.get<ScheduleRecord>(keyOf('schedule', service.id))
    const runs = (await store.range<RunRecord>(prefixOf('run', service.id))).entries
    const tasks = (allTasks ?? (await values<TaskRecord>(prefixOf('task')))).filter(
      (task) => task.serviceId === service.id && task.runId !== null,
    )
    return {
      service,
      spec: revision.spec,
      job: revision.spec.job,
      schedule: schedule?.value ?? null,
      runs: runs.map(({ value }) => value),
      tasks,
      serviceEntry: entry,
      scheduleRevision: schedule?.revision ?? 0,
      runRevisions: new Map(runs.map(({ value, revision: at }) => [value.id, at])),
    }
  }

  async function find(ref: string): Promise<JobNow> {
    const { entries } = await store.range<ServiceRecord>(prefixOf('service'))
    const exact = entries.filter(({ value }) => [value.id, value.name].includes(ref) || isPathOf(ref, value))
    const begun = exact.length > 0 || ref === '' ? exact : entries.filter(({ value }) => value.id.startsWith(ref))
    const [only, ...others] = begun
    if (only === undefined) throw jobsError('job.not_found', `no such job: ${ref}`)
    if (others.length > 0) throw jobsError('job.ambiguous', `${begun.length} services are called ${ref}, or begin so`)
    const found = await recordsOf(only)
    if (found === undefined) throw jobsError('job.is_no_job', `${ref} is a service that is meant to go on, and no job`)
    return found
  }

  function runIn(now: JobNow, ref: string): RunRecord {
    const run = now.runs.find((one) => one.id === ref || runName(one) === ref)
    if (run !== undefined) return run
    throw jobsError(
      'job.run_not_found',
      `the job ${jobName(now.service, now.spec)} has no run ${ref}, or does not keep it any more`,
      {
        hint: `\`glovebox jobs history ${jobName(now.service, now.spec)}\` lists those that are kept.`,
      },
    )
  }

  /** Reads, decides and writes, until nobody else wrote in between. */
  async function change<T>(
    ref: string,
    decide: (now: JobNow) => { readonly write: Transaction; readonly answer: T },
  ): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const { write, answer } = decide(await find(ref))
      if ((await store.write(write)) !== null) return answer
      if (tries >= MAX_TRIES) throw jobsError('job.busy', `the job ${ref} is changed by others all the time`)
      await clock.sleep(CONFLICT_MS)
    }
  }

  async function changeSchedule(ref: string, next: (now: JobNow) => ScheduleRecord): Promise<JobView> {
    return await change(ref, (now) => {
      const schedule = next(now)
      const key = keyOf('schedule', now.service.id)
      return {
        write: { conditions: [{ key, revision: now.scheduleRevision }], puts: [{ key, value: schedule }] },
        answer: jobView({ ...now, schedule }, clock.nowMs()),
      }
    })
  }

  return {
    list: async () => {
      const services = (await store.range<ServiceRecord>(prefixOf('service'))).entries
      const tasks = await values<TaskRecord>(prefixOf('task'))
      const found = await Promise.all(services.map(async (entry) => await recordsOf(entry, tasks)))
      return found
        .flatMap((records) => (records === undefined ? [] : [jobView(records, clock.nowMs())]))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
    get: async (ref) => jobView(await find(ref), clock.nowMs()),
    history: async (ref) => runViews(await find(ref)),
    runOf: async (ref, run) => {
      const now = await find(ref)
      return viewIn(now, runIn(now, run))
    },
    run: async (ref, by) =>
      await change(ref, (now) => {
        const { service, serviceEntry } = now
        const id = `${service.id}.m${random.bytes(RUN_ID_BYTES).toString('hex')}`
        const { run, schedule } = runByHand(now, { id, by }, clock.nowMs())
        const [runKey, scheduleKey] = [keyOf('run', service.id, run.id), keyOf('schedule', service.id)]
        return {
          write: {
            conditions: [
              { key: serviceEntry.key, revision: serviceEntry.revision },
              { key: runKey, revision: 0 },
              { key: scheduleKey, revision: now.scheduleRevision },
            ],
            puts: [{ key: runKey, value: run }, ...(schedule === null ? [] : [{ key: scheduleKey, value: schedule }])],
          },
          answer: runView(run, []),
        }
      }),
    cancel: async (ref, run, by) =>
      await change(ref, (now) => {
        const before = runIn(now, run)
        const value = cancelledByHand(now, before, by, clock.nowMs())
        const key = keyOf('run', before.serviceId, before.id)
        const conditions = [{ key, revision: now.runRevisions.get(before.id) ?? 0 }]
        return { write: { conditions, puts: [{ key, value }] }, answer: viewIn(now, value) }
      }),
    suspend: async (ref) => await changeSchedule(ref, (now) => suspendedByHand(now, clock.nowMs())),
    resume: async (ref) => await changeSchedule(ref, (now) => resumedByHand(now, clock.nowMs())),
    follow: (ref, run, signal) => follow(async () => runIn(await find(ref), run), store, signal),
  }
}

function isPathOf(ref: string, { stack, name }: ServiceRecord): boolean {
  return stack !== null && `${stack}_${ref.slice(stack.length + 1)}` === name && ref.startsWith(`${stack}/`)
}

function viewIn({ tasks }: JobRecords, run: RunRecord): RunView {
  return runView(
    run,
    tasks.filter((task) => task.runId === run.id),
  )
}

async function* follow(
  find: () => Promise<RunRecord>,
  store: ClusterStore,
  signal: AbortSignal,
): AsyncGenerator<RunView, void, void> {
  let run = await find()
  const runKey = keyOf('run', run.serviceId, run.id)
  const all = await store.range<RunRecord & TaskRecord>('')
  const tasks = new Map<string, TaskRecord>()
  for (const { key, value } of all.entries) {
    if (key === runKey) run = value
    else if (isTaskOf(key, value, run.id)) tasks.set(key, value)
  }
  let isGone = !all.entries.some(({ key }) => key === runKey)
  const isOver = () => isGone || (run.state !== 'running' && [...tasks.values()].every((task) => isEnded(task.status.state)))
  yield runView(run, [...tasks.values()])
  if (isOver()) return
  for await (const { changes } of store.watch<RunRecord & TaskRecord>('', all.revision, signal)) {
    let isTouched = false
    for (const { key, value } of changes) {
      if (key === runKey) {
        isGone = value === null
        run = value ?? run
      } else if (value === null ? tasks.has(key) : isTaskOf(key, value, run.id)) {
        if (value === null) tasks.delete(key)
        else tasks.set(key, value)
      } else continue
      isTouched = true
    }
    if (!isTouched) continue
    yield runView(run, [...tasks.values()])
    if (isOver()) return
  }
}

function isTaskOf(key: string, { runId }: TaskRecord, id: string): boolean {
  return key.startsWith('task/') && runId === id
}
