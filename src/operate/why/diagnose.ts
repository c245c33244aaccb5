import { diagnoseContainers } from './container-trouble.ts'
import type { Diagnosis, Severity, Subject } from './diagnosis.ts'
import type { WhyFacts } from './facts.ts'
import { diagnoseHosts } from './host-trouble.ts'
import { diagnoseImages } from './image-trouble.ts'
import { diagnoseJobs } from './job-trouble.ts'
import { diagnoseNetworks } from './network-trouble.ts'
import { diagnoseResources } from './resource-trouble.ts'
import { diagnoseRollouts } from './rollout-trouble.ts'
import { diagnoseRoutes } from './route-trouble.ts'
import { sceneOf } from './scene.ts'
import { diagnoseTasks } from './task-trouble.ts'
import { diagnoseWaits } from './wait-trouble.ts'
import { counted, listed } from './words.ts'

/** Everything that is not as wanted, the weightiest first. Pure: the same facts give the same diagnoses, whatever order they are in; facts without fault give none. */
export function diagnose(facts: WhyFacts): readonly Diagnosis[] {
  const scene = sceneOf(facts)
  const seen = [
    ...diagnoseHosts(scene),
    ...together(diagnoseTasks(scene)),
    ...diagnoseImages(scene),
    ...together(diagnoseJobs(scene)),
    ...diagnoseContainers(scene),
    ...diagnoseRollouts(scene),
    ...diagnoseNetworks(scene),
    ...together(diagnoseResources(scene)),
  ]
  const explained = new Set(seen.filter(({ severity }) => severity !== 'note').flatMap(({ about }) => about.map(({ id }) => id)))
  const all = [...seen, ...diagnoseWaits(scene, explained), ...diagnoseRoutes(scene)].toSorted(weightiestFirst)
  return all.map((diagnosis) => withCause(withoutBlanks(diagnosis), all)).toSorted(weightiestFirst)
}

/** Tasks of one service that have the same trouble are told of together. */
function together(diagnoses: readonly Diagnosis[]): readonly Diagnosis[] {
  const groups = Map.groupBy(diagnoses, ({ code, severity, about }) => JSON.stringify([code, severity, ownerOf(about)]))
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.toSorted((a, b) => compare(a.sentence, b.sentence))
    if (first === undefined || others.length === 0) return group
    const about = [first, ...others].flatMap((one) => one.about)
    const own = first.about[0]?.name ?? ''
    const names = [...new Set(others.map((one) => one.about[0]?.name ?? ''))].filter((name) => name !== own)
    const same = names.length === 0 ? `the same ${counted(others.length, 'time')} more` : `the same of ${listed(names)}`
    return [{ ...first, about: distinct(about), evidence: [...first.evidence, same] }]
  })
}

function ownerOf(about: readonly Subject[]): string {
  return about.find(({ kind }) => kind === 'service' || kind === 'job')?.id ?? about[0]?.id ?? ''
}

function distinct(subjects: readonly Subject[]): readonly Subject[] {
  return [...new Map(subjects.map((subject) => [`${subject.kind} ${subject.id}`, subject])).values()]
}

/** What others say may be nothing. */
function withoutBlanks({ code, severity, about, because, sentence, evidence, advice, sinceMs }: Diagnosis): Diagnosis {
  const said = evidence.filter((line) => line.trim() !== '')
  return { code, severity, about, because, sentence, evidence: said, advice, sinceMs }
}

/** Of those that it comes from, the weightiest is told along. What comes from something is no graver than that. */
function withCause(diagnosis: Diagnosis, all: readonly Diagnosis[]): Diagnosis {
  const cause = all.find(
    (one) => one.because.length === 0 && diagnosis.because.some((subject) => isAbout(one, subject)) && one.severity !== 'note',
  )
  if (cause === undefined) return diagnosis
  const { severity, evidence } = diagnosis
  return {
    ...diagnosis,
    severity: SEVERITIES[severity] < SEVERITIES[cause.severity] ? cause.severity : severity,
    evidence: [...evidence, `it comes from this: ${cause.sentence}`],
  }
}

export function isAbout({ about }: Diagnosis, { kind, id }: Subject): boolean {
  return about.some((subject) => subject.kind === kind && subject.id === id)
}

const SEVERITIES: Readonly<Record<Severity, number>> = { failure: 0, warning: 1, note: 2 }
/** By the first part of the code: causes before what comes from them. */
const RANKS: Readonly<Record<string, number>> = {
  host: 0,
  node: 1,
  image: 2,
  start: 2,
  end: 2,
  place: 2,
  health: 3,
  volume: 3,
  mount: 3,
  memory: 3,
  job: 4,
  rollout: 4,
  service: 4,
  policy: 5,
  name: 5,
  network: 5,
  route: 6,
  wait: 7,
  container: 8,
  stop: 9,
}

function weightiestFirst(a: Diagnosis, b: Diagnosis): number {
  const rank = ({ code }: Diagnosis) => RANKS[code.slice(0, code.indexOf('.'))] ?? 0
  return (
    SEVERITIES[a.severity] - SEVERITIES[b.severity] ||
    rank(a) - rank(b) ||
    compare(a.sentence, b.sentence) ||
    compare(JSON.stringify(a), JSON.stringify(b))
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
