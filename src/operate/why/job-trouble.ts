import type { Diagnosis } from './diagnosis.ts'
import { endOfTask } from './ending.ts'
import { explainEnd } from './explain-end.ts'
import type { RunFacts, ServiceFacts, TaskFacts } from './facts.ts'
import { placeTrouble } from './place-trouble.ts'
import { serviceName, serviceSubjects, taskName, taskSubjects, type Scene } from './scene.ts'
import { isStaying } from './task-trouble.ts'
import { counted, quoted, sentence } from './words.ts'

/** Jobs whose last run failed, that miss their times, or that are kept from running. */
export function diagnoseJobs(scene: Scene): readonly Diagnosis[] {
  return scene.services
    .filter(({ isJob, state }) => isJob && state !== 'removing')
    .flatMap((service) => [...lastRun(scene, service), ...unplaced(scene, service), ...schedule(service)])
}

function lastRun(scene: Scene, service: ServiceFacts): readonly Diagnosis[] {
  const last = service.runs.findLast(({ state }) => state === 'succeeded' || state === 'failed')
  const failing = service.runs.findLast(({ state }) => state === 'running')
  const run = last?.state === 'failed' ? last : undefined
  if (run !== undefined) return [failed(scene, service, run, 'failure')]
  const attempt = failing === undefined ? undefined : lastEnd(scene, service, failing)
  return failing === undefined || attempt === undefined ? [] : [failed(scene, service, failing, 'warning')]
}

function lastEnd(scene: Scene, service: ServiceFacts, run: RunFacts): TaskFacts | undefined {
  return scene
    .tasksOf(service.id)
    .filter((task) => task.runId === run.id && task.isEnded && task.state !== 'complete' && task.state !== 'shutdown')
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1))[0]
}

function failed(scene: Scene, service: ServiceFacts, run: RunFacts, severity: 'failure' | 'warning'): Diagnosis {
  const task = lastEnd(scene, service, run)
  const explained = task === undefined ? null : explainEnd(endOfTask(task, scene.containerOf(task), service.image))
  const isOver = run.state === 'failed'
  const before = service.runs.findLast(({ state }) => state === 'succeeded')
  const what = isOver
    ? `The last run of ${serviceName(service)} failed`
    : `A run of ${serviceName(service)} is under way and had failures`
  const why = explained === null || task === undefined ? quoted(run.reason) : `${taskName(scene, task)} ${explained.what}`
  return {
    code: 'job.failed',
    severity,
    about: [...(task === undefined ? serviceSubjects(service) : taskSubjects(scene, task))],
    because: [],
    sentence: sentence(`${what}: ${why}`),
    evidence: [
      ...(run.reason === '' ? [] : [`run ${run.id}: ${quoted(run.reason)}`]),
      ...(explained?.evidence ?? []),
      before === undefined
        ? 'no run of it has succeeded yet'
        : `the last one that succeeded: ${new Date(before.createdAtMs).toISOString()}`,
    ],
    advice: `${explained?.advice ?? 'Put right what failed.'} \`glovebox jobs run ${serviceName(service)}\` runs it again.`,
    sinceMs: run.endedAtMs ?? run.createdAtMs,
  }
}

function unplaced(scene: Scene, service: ServiceFacts): readonly Diagnosis[] {
  return scene
    .tasksOf(service.id)
    .flatMap((task) => (task.isEnded || !isStaying(task) ? [] : (placeTrouble(scene, task, 'failure') ?? [])))
}

function schedule(service: ServiceFacts): readonly Diagnosis[] {
  const { schedule: now } = service
  if (now === null) return []
  const base = { about: serviceSubjects(service), because: [], sinceMs: now.updatedAtMs }
  const note = now.note === '' ? [] : [`last time: ${quoted(now.note)}`]
  const counts = [`${now.cron}: ${counted(now.missed, 'time')} missed, ${now.skipped} skipped`]
  if (now.isSuspended)
    return [
      {
        ...base,
        code: 'job.suspended',
        severity: 'note',
        sentence: `${serviceName(service)} is suspended: none of its times brings a run.`,
        evidence: [...counts, ...note],
        advice: `\`glovebox jobs resume ${serviceName(service)}\` lets its times count again.`,
      },
    ]
  const isMissed = / was (?:missed|skipped)/.test(now.note)
  if (!isMissed && now.note !== '' && !/^\d{4}-/.test(now.note))
    return [
      {
        ...base,
        code: 'job.missed',
        severity: 'failure',
        sentence: sentence(`${serviceName(service)} never runs: ${quoted(now.note)}`),
        evidence: counts,
        advice: 'Correct its schedule.',
      },
    ]
  if (!isMissed) return []
  return [
    {
      ...base,
      code: 'job.missed',
      severity: 'warning',
      sentence: sentence(`${serviceName(service)} did not run when it was due: ${quoted(now.note)}`),
      evidence: counts,
      advice:
        'A run that takes longer than the time between two needs another schedule or `concurrency: allow`; without `starting_deadline` what was missed is made up for.',
    },
  ]
}
