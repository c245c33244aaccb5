import type { Diagnosis, DiagnosisCode, Severity } from './diagnosis.ts'
import { lastLines } from './explain-end.ts'
import type { ContainerFacts, TaskFacts } from './facts.ts'
import { serviceName, taskName, taskSubjects, type Scene } from './scene.ts'
import { counted, quoted, sentence, span } from './words.ts'

/** It runs and is not ready. Null: nothing stands against it, it has just begun. */
export function liveTrouble(scene: Scene, task: TaskFacts, severity: Severity): Diagnosis | null {
  const container = scene.containerOf(task)
  const found = paused(task, container) ?? sick(scene, task, container) ?? unchecked(scene, task)
  if (found === null) return null
  const { code, what, evidence, advice, isSure } = found
  return {
    code,
    severity: isSure ? severity : 'warning',
    about: taskSubjects(scene, task),
    because: [],
    sentence: sentence(`${taskName(scene, task)} ${what}`),
    evidence: [...evidence, ...lastLines({ container })],
    advice,
    sinceMs: task.startedAtMs ?? task.sinceMs,
  }
}

interface Found {
  readonly code: DiagnosisCode
  readonly what: string
  readonly evidence: readonly string[]
  readonly advice: string
  /** False: it may still come right. */
  readonly isSure: boolean
}

function paused({ message }: TaskFacts, container: ContainerFacts | undefined): Found | null {
  if (message !== 'is paused') return null
  return {
    code: 'container.paused',
    what: 'is paused: its processes stand still',
    evidence: ['state paused'],
    advice: `Let it go on: \`glovebox unpause ${container?.name ?? 'CONTAINER'}\`.`,
    isSure: true,
  }
}

function sick(scene: Scene, task: TaskFacts, container: ContainerFacts | undefined): Found | null {
  const { health } = task
  if (health === null || health === 'healthy') return null
  const own = container?.health ?? null
  const said = own?.last?.output ?? task.healthOutput
  const ranMs = task.startedAtMs === null ? 0 : scene.nowMs - task.startedAtMs
  const isSick = health === 'unhealthy'
  const streak = own === null || own.failingStreak === 0 ? '' : `, ${counted(own.failingStreak, 'failure')} in a row`
  const test = own === null || own.test === '' ? [] : [`health check: ${quoted(own.test)}${streak}`]
  const answer =
    said.trim() === ''
      ? []
      : [`the check says: ${quoted(said)}${own?.last === null || own === null ? '' : ` (exit code ${own.last.exitCode})`}`]
  return {
    code: isSick ? 'health.unhealthy' : 'health.starting',
    what: isSick ? `is unhealthy${brief(said)}` : `has run for ${span(ranMs)} and is not healthy yet${brief(said)}`,
    evidence: [...test, ...answer],
    advice: 'Run the check by hand (`glovebox exec`); if the program is only slow to start, give it a longer `start_period`.',
    isSure: isSick,
  }
}

/** The agent's own checks: it says in words which one has not passed. */
const CHECKS = [
  {
    kind: 'startup',
    code: 'health.startup',
    pattern: /^has not passed its start-up check yet(?:: ([\s\S]*))?$/,
    name: 'start-up',
  },
  {
    kind: 'readiness',
    code: 'health.readiness',
    pattern: /^has not passed its readiness check(?: yet)?(?:: ([\s\S]*))?$/,
    name: 'readiness',
  },
] as const

function unchecked(scene: Scene, task: TaskFacts): Found | null {
  const service = scene.serviceById(task.serviceId)
  for (const { kind, code, pattern, name } of CHECKS) {
    const match = pattern.exec(task.message)
    if (match === null) continue
    const ranMs = task.startedAtMs === null ? 0 : scene.nowMs - task.startedAtMs
    const said = match[1] ?? task.healthOutput
    const check = service?.checks[kind]
    return {
      code,
      what:
        kind === 'startup'
          ? `has run for ${span(ranMs)} and has not passed its start-up check${brief(said)}`
          : `gets no traffic, for its readiness check fails${brief(said)}`,
      evidence: [
        ...(check === undefined ? [] : [`${name} check: ${check}`]),
        ...(said.trim() === '' ? ['the check has not answered yet'] : [`the check says: ${quoted(said)}`]),
      ],
      advice:
        kind === 'startup'
          ? 'See what it does so long in its log; if that is how it is, nothing else is needed: the other checks wait until this one has passed.'
          : `See why it answers so: \`glovebox logs ${scene.containerOf(task)?.name ?? (service === undefined ? '' : serviceName(service))}\`.`,
      isSure: kind === 'readiness' && said.trim() !== '',
    }
  }
  return null
}

function brief(said: string): string {
  return said.trim() === '' ? '' : `: ${quoted(said)}`
}

/** Longer than this a step between two states is no mere moment. */
const SLOW_MS = 15_000

/** It is on its way, and has been for long. */
export function live(scene: Scene, task: TaskFacts, severity: Severity): Diagnosis | null {
  const isWaiting = task.desiredState === 'ready' || task.nodeId === null
  const forMs = scene.nowMs - task.sinceMs
  if (isWaiting || forMs < SLOW_MS) return null
  return {
    code: 'wait.slow',
    severity,
    about: taskSubjects(scene, task),
    because: [],
    sentence: sentence(`${taskName(scene, task)} is ${task.state} for ${span(forMs)} already`),
    evidence: task.message === '' ? [] : [quoted(task.message)],
    advice: 'The daemon is busy or waits for the disk: `glovebox doctor` looks at the host.',
    sinceMs: task.sinceMs,
  }
}
