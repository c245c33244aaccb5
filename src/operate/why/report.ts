import { diagnose, isAbout } from './diagnose.ts'
import type { Diagnosis, Subject } from './diagnosis.ts'
import type { WhyFacts } from './facts.ts'
import { subjectsNamed } from './names.ts'
import { serviceName, sceneOf, type Scene } from './scene.ts'
import { counted, listed, span } from './words.ts'

/** The answer to why something is not as wanted. */
export interface WhyReport {
  /** What was asked for; null: everything. */
  readonly name: string | null
  readonly subjects: readonly Subject[]
  /** Nothing is wrong with it. Notes do not count where everything was asked for. */
  readonly isWell: boolean
  /** The first diagnosis, or that all is as wanted. */
  readonly summary: string
  /** The weightiest first. */
  readonly diagnoses: readonly Diagnosis[]
  /** Further ones that are left out. */
  readonly left: number
}

/** More than this nobody reads: what is first is what matters. */
const MAX_DIAGNOSES = 100

/** Of what is over and asks for nothing, so much is worth telling to who asks for everything. */
const TOLD_MS = 60 * 60_000

function isOld({ severity, sinceMs }: Diagnosis, nowMs: number): boolean {
  return severity === 'note' && sinceMs !== null && nowMs - sinceMs > TOLD_MS
}

/** Error: `why.unknown_name`. */
export function whyReport(facts: WhyFacts, name: string | null): WhyReport {
  const all = diagnose(facts)
  const subjects = name === null ? [] : subjectsNamed(facts, name)
  const chosen = name === null ? all.filter((one) => !isOld(one, facts.nowMs)) : chosenOf(all, subjects)
  const isWell = name === null ? chosen.every(({ severity }) => severity === 'note') : chosen.length === 0
  const summary = isWell ? wellSentence(sceneOf(facts), subjects) : (chosen[0]?.sentence ?? '')
  return {
    name,
    subjects,
    isWell,
    summary,
    diagnoses: chosen.slice(0, MAX_DIAGNOSES),
    left: Math.max(0, chosen.length - MAX_DIAGNOSES),
  }
}

/** Those about it, and those that they come from. */
function chosenOf(all: readonly Diagnosis[], subjects: readonly Subject[]): readonly Diagnosis[] {
  const chosen = new Set(all.filter((diagnosis) => subjects.some((subject) => isAbout(diagnosis, subject))))
  // A set gives what is added while it is walked as well.
  for (const { because } of chosen)
    for (const one of all) if (one.severity !== 'note' && because.some((subject) => isAbout(one, subject))) chosen.add(one)
  return all.filter((diagnosis) => chosen.has(diagnosis))
}

function wellSentence(scene: Scene, subjects: readonly Subject[]): string {
  if (subjects.length > 0) return listed([...new Set(subjects.map((subject) => wellOf(scene, subject)))]) + '.'
  const running = scene.containers.filter(({ taskId, state }) => taskId === null && state === 'running').length
  const tasks = scene.tasks.filter(({ isEnded, isReady }) => !isEnded && isReady).length
  return `Nothing is wrong: ${counted(scene.services.length, 'service')} with ${counted(tasks, 'task')}, ${counted(running, 'other container')} and ${counted(scene.routes.length, 'route')}.`
}

function wellOf(scene: Scene, { kind, id, name }: Subject): string {
  switch (kind) {
    case 'application': {
      const services = scene.services.filter(({ stack }) => stack === id)
      return `${name} is as wanted: ${counted(services.length, 'service')}, ${services.reduce((sum, one) => sum + one.readyTasks, 0)} of ${services.reduce((sum, one) => sum + one.desiredTasks, 0)} tasks ready`
    }
    case 'service': {
      const service = scene.serviceById(id)
      return service === undefined
        ? `${name} is as wanted`
        : `${serviceName(service)} is as wanted: ${service.readyTasks} of ${service.desiredTasks} tasks ready`
    }
    case 'container': {
      const container = scene.containerById(id)
      if (container?.state === 'running')
        return `${name} runs${container.startedAtMs === null ? '' : ` for ${span(scene.nowMs - container.startedAtMs)}`}, and nothing is wrong with it`
      return container?.isStoppedByHand === true
        ? `${name} was stopped by hand`
        : `nothing is wrong with ${name}${container === undefined ? '' : `: it is ${container.state}, exit code ${container.exitCode}`}`
    }
    case 'task':
    case 'job':
    case 'route':
    case 'node':
    case 'image':
      return `nothing is wrong with ${kind} ${name}`
  }
}
