import type { Diagnosis, Subject } from './diagnosis.ts'
import type { ServiceFacts, WaitFacts } from './facts.ts'
import { serviceName, serviceSubjects, taskSubjects, type Scene } from './scene.ts'
import { severityOf } from './task-trouble.ts'
import { capitalised, quoted, sentence } from './words.ts'

/** What services say that they wait for: for others of their application, or for what nothing else has explained. */
export function diagnoseWaits(scene: Scene, explained: ReadonlySet<string>): readonly Diagnosis[] {
  return scene.services.flatMap((service) => {
    if (service.state === 'removing') return []
    const ofOthers = dependencyWaits(scene, service)
    if (ofOthers.length > 0) return ofOthers
    if (explained.has(service.id)) return []
    const told = service.waits.filter(isTelling)
    const weightiest = told.find(({ isHopeless }) => isHopeless) ?? told[0]
    return weightiest === undefined ? [] : [otherWait(scene, service, weightiest, told)]
  })
}

function dependencyWaits(scene: Scene, service: ServiceFacts): readonly Diagnosis[] {
  return service.dependsOn.flatMap(({ service: name, condition }): readonly Diagnosis[] => {
    const wait = service.waits.find(({ reason }) => reason.includes(`service ${name} `))
    const other = scene.serviceNamed(service.stack, name)
    if (wait === undefined) return []
    const cause: readonly Subject[] = other === undefined ? [] : serviceSubjects(other).slice(0, 1)
    return [
      {
        code: 'wait.dependency',
        severity: severityOf(service),
        about: serviceSubjects(service),
        because: cause,
        sentence: sentence(`${serviceName(service)} ${quoted(wait.reason)}`),
        evidence: [
          `depends_on: ${name}: condition: service_${condition}`,
          ...(other === undefined ? [] : [`${serviceName(other)}: ${other.readyTasks} of ${other.desiredTasks} tasks are ready`]),
        ],
        advice:
          other === undefined
            ? 'See `depends_on`.'
            : `See what ${serviceName(other)} lacks: \`glovebox why ${serviceName(other)}\`.`,
        sinceMs: null,
      },
    ]
  })
}

/** Others are steps that go on by themselves within seconds. */
function isTelling({ reason, isHopeless }: WaitFacts): boolean {
  return reason !== '' && (isHopeless || !PASSING.test(reason))
}

const PASSING =
  /must prove itself|must prove themselves|waits between two batches|stand by for a while|is being removed|are being removed|waits for a node$|(?:is|was) started again|it has just begun| (?:is (?:assigned|accepted|preparing|ready|starting|being started)|its container is (?:being )?made|taken by its node)/

function otherWait(scene: Scene, service: ServiceFacts, wait: WaitFacts, all: readonly WaitFacts[]): Diagnosis {
  const task = wait.taskId === null ? undefined : scene.tasksOf(service.id).find(({ id }) => id === wait.taskId)
  const reasons = [...new Set(all.map(({ reason }) => quoted(reason)))]
  const isAway = wait.reason.includes(' is down')
  return {
    code: isAway ? 'wait.node_away' : 'wait.other',
    severity: wait.isHopeless ? severityOf(service) : 'warning',
    about: task === undefined ? serviceSubjects(service) : taskSubjects(scene, task),
    because: [],
    sentence: sentence(`${serviceName(service)} is not as wanted: ${quoted(wait.reason)}`),
    evidence: [`${service.readyTasks} of ${service.desiredTasks} tasks are ready`, ...reasons.slice(1).map(capitalised)],
    advice: isAway
      ? 'Bring the node back, or remove it and what is only there.'
      : `\`glovebox service ps ${serviceName(service)}\` shows its tasks, \`glovebox history ${serviceName(service)}\` what happened.`,
    sinceMs: null,
  }
}
