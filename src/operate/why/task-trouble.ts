import type { Diagnosis, Severity } from './diagnosis.ts'
import { endOfTask } from './ending.ts'
import { explainEnd } from './explain-end.ts'
import type { ServiceFacts, TaskFacts } from './facts.ts'
import { live, liveTrouble } from './live-trouble.ts'
import { placeTrouble } from './place-trouble.ts'
import { taskName, taskSubjects, type Scene } from './scene.ts'
import { counted, sentence, span } from './words.ts'

/** What is the matter with each task of the services: one diagnosis for each place at most. */
export function diagnoseTasks(scene: Scene): readonly Diagnosis[] {
  return scene.services.flatMap((service) => {
    // Without its image none of its tasks comes far: that is told of the image.
    if (service.state === 'removing' || service.isJob || scene.lacksImage(service)) return []
    const seats = Map.groupBy(
      scene.tasksOf(service.id).filter((task) => task.runId === null),
      (task) => task.seat,
    )
    return [...seats.values()].flatMap((tasks) => troubleOfSeat(scene, service, tasks) ?? [])
  })
}

/** A place has a task that is to stay, or only the ends of those that were. */
function troubleOfSeat(scene: Scene, service: ServiceFacts, tasks: readonly TaskFacts[]): Diagnosis | null {
  const youngest = tasks.toSorted((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1))
  const current = youngest.find((task) => !task.isEnded && isStaying(task))
  const fallen = youngest.find((task) => task.isEnded && task !== current)
  const severity = severityOf(service)
  if (current === undefined) {
    const left = youngest.find((task) => task.isEnded && isStaying(task))
    return left === undefined ? null : troubleOfEnd(scene, left, left.failures, severity)
  }
  const place = placeTrouble(scene, current, severity)
  if (place !== null) return place
  if (current.error !== '') return troubleOfEnd(scene, current, current.failures, severity)
  const again = fallen !== undefined && current.failures > 0 ? troubleOfEnd(scene, fallen, current.failures, severity) : null
  if (current.isReady) return isSettled(scene, current) ? null : again
  if (current.state === 'running') return liveTrouble(scene, current, severity) ?? again
  return again ?? live(scene, current, severity)
}

/** Having run for so long it is all right: what it is made anew for now is a new trouble. */
const SETTLED_MS = 10_000

function isSettled({ nowMs }: Scene, { startedAtMs }: TaskFacts): boolean {
  return startedAtMs !== null && nowMs - startedAtMs >= SETTLED_MS
}

export function isStaying({ desiredState }: TaskFacts): boolean {
  return desiredState === 'ready' || desiredState === 'running'
}

/** While others of it serve, the loss of one is less. */
export function severityOf({ readyTasks }: ServiceFacts): Severity {
  return readyTasks > 0 ? 'warning' : 'failure'
}

/** `failures`: ends in a row of its place, this one among them. */
export function troubleOfEnd(scene: Scene, task: TaskFacts, failures: number, severity: Severity): Diagnosis | null {
  const ending = endOfTask(task, scene.containerOf(task), scene.serviceById(task.serviceId)?.image ?? '')
  const explained = explainEnd(ending) ?? endedThoughWanted(task, ending.ranMs)
  if (explained === null) return null
  const { code, what, evidence, advice } = explained
  const times = failures > 1 ? `${counted(failures, 'end')} in a row` : ''
  const next = scene
    .tasksOf(task.serviceId)
    .find((one) => one.seat === task.seat && !one.isEnded && one.startAfterMs > scene.nowMs)
  const wait = next === undefined ? '' : `it is started again in ${span(next.startAfterMs - scene.nowMs)}`
  const history = [times, wait].filter((part) => part !== '').join('; ')
  return {
    code,
    severity,
    about: taskSubjects(scene, task),
    because: [],
    sentence: sentence(`${taskName(scene, task)} ${what}${failures > 1 ? ` (${failures} times in a row)` : ''}`),
    evidence: [...evidence, ...(history === '' ? [] : [history])],
    advice,
    sinceMs: task.sinceMs,
  }
}

/** With 0, and yet it is wanted to run. */
function endedThoughWanted({ state, exitCode }: TaskFacts, ranMs: number | null) {
  if (state !== 'complete' && exitCode !== 0) return null
  return {
    code: 'end.too_soon' as const,
    what: `ended with exit code 0${ranMs === null ? '' : ` after ${span(ranMs)}`}, though it is wanted to run on`,
    evidence: [],
    advice: 'Run the program in the foreground; for one that is meant to end say `restart: on-failure`, or make it a job.',
  }
}
