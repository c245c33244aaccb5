import type { Diagnosis } from './diagnosis.ts'
import type { RolloutFacts, ServiceFacts } from './facts.ts'
import { serviceName, serviceSubjects, type Scene } from './scene.ts'
import { quoted, sentence, span } from './words.ts'

/** Changes that stand still or went back. */
export function diagnoseRollouts(scene: Scene): readonly Diagnosis[] {
  return scene.services.flatMap((service) => {
    if (service.state === 'removing') return []
    return [...paused(service), ...(service.rollout === null ? [] : ofRollout(scene, service, service.rollout))]
  })
}

function paused(service: ServiceFacts): readonly Diagnosis[] {
  if (service.state !== 'paused') return []
  return [
    {
      code: 'service.paused',
      severity: 'warning',
      about: serviceSubjects(service),
      because: [],
      sentence: `${serviceName(service)} is paused by hand: nothing of it is replaced, scaled or rolled out.`,
      evidence: [`${service.readyTasks} of ${service.desiredTasks} tasks are ready`],
      advice: `\`glovebox resume ${serviceName(service)}\`.`,
      sinceMs: null,
    },
  ]
}

function ofRollout(scene: Scene, service: ServiceFacts, rollout: RolloutFacts): readonly Diagnosis[] {
  const { state, from, to, reason, judgement, endedAtMs, startedAtMs } = rollout
  const name = serviceName(service)
  const base = { about: serviceSubjects(service), because: [], sinceMs: endedAtMs ?? startedAtMs }
  const judged = judgement === null ? [] : [`last judgement: ${judgement.verdict}: ${quoted(judgement.reason)}`]
  const way = [`revision ${from ?? 'none'} to ${to}: ${quoted(reason)}`]
  switch (state) {
    case 'paused':
      return [
        {
          ...base,
          code: 'rollout.paused',
          severity: 'failure',
          sentence: sentence(`The rollout of ${name} to revision ${to} is paused: ${quoted(reason)}`),
          evidence: [...way, ...judged],
          advice: `Put right what failed and apply it again; or \`glovebox resume ${name}\`, \`promote\` it in spite of all, \`abort\` it.`,
        },
      ]
    case 'rolling-back':
    case 'rolled-back':
      return [
        {
          ...base,
          code: 'rollout.rolled_back',
          severity: 'warning',
          sentence: sentence(
            `${name} ${state === 'rolled-back' ? 'was rolled back' : 'is being rolled back'} from revision ${from ?? '?'} to ${to}: ${quoted(reason)}`,
          ),
          evidence: [...way, ...judged],
          advice: `What runs is not what was asked for last: put right what failed and apply it again; \`glovebox history ${name}\` shows what happened.`,
        },
      ]
    case 'running':
      return ofCanary(scene, service, rollout, judged)
    case 'completed':
    case 'failed':
    case 'aborted':
      return []
  }
}

function ofCanary(scene: Scene, service: ServiceFacts, rollout: RolloutFacts, judged: readonly string[]): readonly Diagnosis[] {
  const name = serviceName(service)
  const base = { about: serviceSubjects(service), because: [], sinceMs: rollout.stepStartedAtMs, severity: 'warning' as const }
  const byHand = service.waits.find(({ reason }) => reason.includes('waits for somebody to promote'))
  if (byHand !== undefined)
    return [
      {
        ...base,
        code: 'rollout.by_hand',
        sentence: `The canary of ${name} waits for somebody to promote it: every step went well.`,
        evidence: judged,
        advice: `\`glovebox promote ${name}\`, or \`glovebox abort ${name}\`.`,
      },
    ]
  const { judgement } = rollout
  const wait = service.waits.find(({ reason }) => reason.startsWith('the canary has '))
  const said = judgement?.verdict === 'too-little' ? judgement.reason : wait?.reason.split(': ').slice(1).join(': ')
  if (said === undefined || !/requests that a judgement needs/.test(said)) return []
  return [
    {
      ...base,
      code: 'rollout.canary_waits',
      sentence: sentence(`The canary of ${name} stands still: it has too little traffic to be judged (${quoted(said)})`),
      evidence: [`${rollout.weightPercent ?? 0} % of the traffic for ${span(scene.nowMs - rollout.stepStartedAtMs)}`, ...judged],
      advice: `Send traffic through its route, ask for fewer requests (\`min_requests\`), or \`glovebox promote ${name}\`.`,
    },
  ]
}
