import { isAtLeast, isEnded, TASK_STATES, type RevisionRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import type { ChangeBatch } from '#cluster/store'

/** What must hold after every commit. Gives back what is broken; empty: nothing. */
export function checkCommit(
  { changes }: ChangeBatch<unknown>,
  before: (key: string) => unknown,
  now: ReadonlyMap<string, unknown>,
): readonly string[] {
  const broken: string[] = []
  for (const { key, value } of changes) {
    const was = before(key)
    if (key.startsWith('task/')) checkTask(was as TaskRecord | undefined, value as TaskRecord | null, broken)
    if (key.startsWith('service/')) checkService(was as ServiceRecord | undefined, value as ServiceRecord | null, now, broken)
    if (key.startsWith('revision/')) checkRevision(was as RevisionRecord | undefined, value as RevisionRecord | null, broken)
  }
  const turn = changes.find(({ key, value }) => key.startsWith('turn/') && value !== null)
  if (turn !== undefined) checkTurn(turn.key.slice('turn/'.length), changes, before, now, broken)
  return broken
}

const DESIRED = ['ready', 'running', 'shutdown', 'remove'] as const

function checkTask(was: TaskRecord | undefined, is: TaskRecord | null, broken: string[]): void {
  if (is === null) {
    if (was !== undefined && !isEnded(was.status.state)) broken.push(`task ${was.id} was forgotten while ${was.status.state}`)
    return
  }
  const { state, isReady } = is.status
  if (isReady && state !== 'running') broken.push(`task ${is.id} is ready and ${state}`)
  if (was === undefined) return
  const [from, to] = [TASK_STATES.indexOf(was.status.state), TASK_STATES.indexOf(state)]
  if (to < from) broken.push(`task ${is.id} went back from ${was.status.state} to ${state}`)
  if (to > from + 1 && !isEnded(state)) broken.push(`task ${is.id} leapt from ${was.status.state} to ${state}`)
  if (DESIRED.indexOf(is.desiredState) < DESIRED.indexOf(was.desiredState))
    broken.push(`task ${is.id} is wanted ${is.desiredState} again after ${was.desiredState}`)
  if (was.nodeId !== null && was.nodeId !== is.nodeId) broken.push(`task ${is.id} moved from ${was.nodeId} to ${is.nodeId}`)
}

function checkService(
  was: ServiceRecord | undefined,
  is: ServiceRecord | null,
  now: ReadonlyMap<string, unknown>,
  broken: string[],
): void {
  if (is !== null) {
    if (was?.state === 'removing' && is.state !== 'removing') broken.push(`service ${is.name} came back from its removal`)
    return
  }
  if (was === undefined) return
  if (was.state !== 'removing') broken.push(`service ${was.name} was lost`)
  for (const [key, value] of now)
    if (key.startsWith('task/') && (value as TaskRecord).serviceId === was.id)
      broken.push(`service ${was.name} went before its task ${key}`)
}

function checkRevision(was: RevisionRecord | undefined, is: RevisionRecord | null, broken: string[]): void {
  if (was === undefined || is === null || was.imageId === null) return
  if (JSON.stringify(was) !== JSON.stringify(is)) broken.push(`revision ${was.serviceId}/${was.number} was changed`)
}

/** What the loop of the services decided: never more tasks than may be, and none that serves ends before others serve in its place. */
function checkTurn(
  serviceId: string,
  changes: ChangeBatch<unknown>['changes'],
  before: (key: string) => unknown,
  now: ReadonlyMap<string, unknown>,
  broken: string[],
): void {
  const service = now.get(`service/${serviceId}`) as ServiceRecord | undefined
  if (service === undefined || service.state === 'removing') return
  const target = now.get(`revision/${serviceId}/${String(service.revision).padStart(8, '0')}`) as RevisionRecord | undefined
  if (target === undefined)
    return void broken.push(`service ${service.name} wants revision ${service.revision}, which is not there`)
  // Of a paused one nobody knows how many there were to be.
  if (target.spec.mode !== 'replicated' || service.state === 'paused') return
  const wanted = service.replicas
  const tasks: TaskRecord[] = []
  for (const [key, value] of now)
    if (key.startsWith('task/') && (value as TaskRecord).serviceId === serviceId) tasks.push(value as TaskRecord)
  const live = tasks.filter((task) => !isEnded(task.status.state))
  const staying = live.filter(isWanted)
  const touched = changes.filter(({ key }) => key.startsWith('task/'))
  const hasMade = touched.some(({ key, value }) => value !== null && before(key) === undefined)
  const isBack = service.rollout?.state === 'rolling-back'
  const settings = isBack ? target.spec.rollback : target.spec.update
  const parallelism = Math.max(1, settings.parallelism === 0 ? wanted : Math.min(wanted, settings.parallelism))
  // A rollout that took the place of another finds what that one was allowed.
  const revisions = [target.number, service.rollout?.from, service.rollout?.to].map(
    (number) => now.get(`revision/${serviceId}/${String(number ?? 0).padStart(8, '0')}`) as RevisionRecord | undefined,
  )
  const surge = Math.max(...revisions.flatMap((revision) => surgesOf(revision, wanted)), parallelism)
  if (hasMade && staying.length > wanted + surge)
    broken.push(`service ${service.name} has ${staying.length} tasks, ${wanted} wanted and ${surge} more allowed`)
  const slots = staying.map((task) => task.slot)
  if (new Set(slots).size !== slots.length) broken.push(`service ${service.name} has two tasks in one slot: ${slots.join(', ')}`)
  const retired = touched.filter(({ key, value }) => {
    const was = before(key) as TaskRecord | undefined
    return was !== undefined && value !== null && isServing(was) && !isWanted(value as TaskRecord)
  })
  if (retired.length === 0) return
  const serving = tasks.filter(isServing).length
  const isStopFirst = settings.order === 'stop-first' || settings.order === 'auto'
  const least = wanted - (isStopFirst ? parallelism : 0)
  if (serving < least)
    broken.push(`service ${service.name}: ${retired.length} tasks that serve end, ${serving} go on serving, ${least} must`)
}

function surgesOf(revision: RevisionRecord | undefined, wanted: number): readonly number[] {
  return (revision === undefined ? [] : [revision.spec.update, revision.spec.rollback]).map(({ strategy, parallelism }) =>
    strategy === 'rolling' && parallelism > 0 ? Math.min(wanted, parallelism) : wanted,
  )
}

function isWanted(task: TaskRecord): boolean {
  return task.desiredState === 'ready' || task.desiredState === 'running'
}

function isServing(task: TaskRecord): boolean {
  return isWanted(task) && isAtLeast(task.status.state, 'running') && (task.status.isReady || task.status.state === 'complete')
}
