import type { Diagnosis, Severity } from './diagnosis.ts'
import type { TaskFacts } from './facts.ts'
import { taskName, taskSubjects, type Scene } from './scene.ts'
import { capitalised, counted, sentence } from './words.ts'

/** No node takes it. Null: one does, or nobody has said yet that none will. */
export function placeTrouble(scene: Scene, task: TaskFacts, severity: Severity): Diagnosis | null {
  // Of a node that is away there is no more to say: what stands against it on the others is what can be changed.
  const first = task.refusals.find(({ filter }) => filter !== 'ready') ?? task.refusals[0]
  if (task.nodeId !== null || first === undefined) return null
  return {
    code: `place.${first.filter.replaceAll('-', '_')}`,
    severity,
    about: taskSubjects(scene, task),
    because: [],
    sentence: sentence(`${taskName(scene, task)} has no node: ${first.reason}`),
    evidence: task.refusals.map(
      ({ filter, nodes, reason }) => `${counted(nodes, 'node')} refused by ${FILTERS[filter] ?? filter}: ${reason}`,
    ),
    advice: sentence(capitalised(first.advice)),
    sinceMs: task.createdAtMs,
  }
}

const FILTERS: Readonly<Record<string, string>> = {
  ready: 'their state',
  availability: 'their availability',
  constraint: 'a constraint',
  platform: 'the platform',
  cpu: 'the CPU that is reserved',
  memory: 'the memory that is reserved',
  'host-port': 'a port of the host',
  volume: 'a volume that is elsewhere',
  'max-per-node': 'the most replicas for one node',
  affinity: 'an affinity',
}
