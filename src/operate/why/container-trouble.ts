import type { Diagnosis } from './diagnosis.ts'
import { endOfContainer } from './ending.ts'
import { explainEnd, lastLines } from './explain-end.ts'
import type { ContainerFacts } from './facts.ts'
import { containerSubjects, type Scene } from './scene.ts'
import { counted, quoted, sentence, span } from './words.ts'

/** Containers that stand alone; those of tasks are told of by their tasks. */
export function diagnoseContainers(scene: Scene): readonly Diagnosis[] {
  return scene.containers.filter(({ taskId }) => taskId === null).flatMap((container) => trouble(scene, container) ?? [])
}

function trouble(scene: Scene, container: ContainerFacts): Diagnosis | null {
  switch (container.state) {
    case 'running':
      return sick(scene, container) ?? restarted(scene, container)
    case 'paused':
      return tell(scene, container, {
        code: 'container.paused',
        severity: 'note',
        what: 'is paused: its processes stand still',
        evidence: ['state paused'],
        advice: `Let it go on: \`glovebox unpause ${container.name}\`.`,
      })
    case 'created':
      return container.error === '' ? null : ended(scene, container)
    case 'restarting':
    case 'exited':
      return ended(scene, container)
    case 'removing':
    case 'dead':
      return null
  }
}

type Told = Pick<Diagnosis, 'code' | 'severity' | 'evidence' | 'advice'> & { readonly what: string }

function tell(scene: Scene, container: ContainerFacts, { what, ...rest }: Told): Diagnosis {
  return {
    ...rest,
    about: containerSubjects(scene, container),
    because: [],
    sentence: sentence(`${container.name} ${what}`),
    sinceMs: container.finishedAtMs ?? container.startedAtMs ?? container.createdAtMs,
  }
}

/** Whose policy would have it run, is not there; of another one nobody wants any more. */
function ended(scene: Scene, container: ContainerFacts): Diagnosis | null {
  const explained = explainEnd(endOfContainer(container))
  if (explained === null) return null
  const { restarts, restartPolicy, isStoppedByHand, state } = container
  const isWanted = restartPolicy !== 'no' && !isStoppedByHand
  const { what, ...rest } = explained
  const policy =
    restartPolicy === 'no'
      ? []
      : [`restart policy ${restartPolicy}: ${restarts === 0 ? 'not restarted yet' : `restarted ${counted(restarts, 'time')}`}`]
  const loop = state === 'restarting' && restarts > 0 ? `, again and again` : ''
  return tell(scene, container, {
    ...rest,
    what: `${what}${loop}`,
    severity: isWanted ? 'failure' : 'note',
    evidence: [...rest.evidence, ...policy],
  })
}

/** Shorter lives than this may be a row of failures that is not seen in the state at every moment. */
const SETTLED_MS = 10_000

function sick(scene: Scene, container: ContainerFacts): Diagnosis | null {
  const { health } = container
  if (health === null || health.status === 'healthy') return null
  const ranMs = container.startedAtMs === null ? 0 : scene.nowMs - container.startedAtMs
  const isStarting = health.status === 'starting'
  if (isStarting && (ranMs < SETTLED_MS || (health.last?.exitCode ?? 0) === 0)) return null
  const said = health.last?.output ?? ''
  const brief = said.trim() === '' ? '' : `: ${quoted(said)}`
  return tell(scene, container, {
    code: isStarting ? 'health.starting' : 'health.unhealthy',
    severity: isStarting ? 'warning' : 'failure',
    what: isStarting ? `has run for ${span(ranMs)} and is not healthy yet${brief}` : `is unhealthy${brief}`,
    evidence: [
      `health check: ${quoted(health.test)}, ${counted(health.failingStreak, 'failure')} in a row`,
      ...(health.last === null ? [] : [`the check says: ${quoted(said)} (exit code ${health.last.exitCode})`]),
      ...lastLines({ container }),
    ],
    advice: `Run the check by hand: \`glovebox exec ${container.name} …\`.`,
  })
}

function restarted(scene: Scene, container: ContainerFacts): Diagnosis | null {
  const ranMs = container.startedAtMs === null ? 0 : scene.nowMs - container.startedAtMs
  if (container.restarts === 0 || ranMs >= SETTLED_MS) return null
  return tell(scene, container, {
    code: 'end.exit_code',
    severity: 'warning',
    what: `ends again and again: it was restarted ${counted(container.restarts, 'time')}, and runs for ${span(ranMs)} now`,
    evidence: lastLines({ container }),
    advice: `\`glovebox logs ${container.name}\` shows all that it wrote.`,
  })
}
