import { TASK_LABELS } from '#cluster/agent'
import type { ContainerRecord } from '#engine/containers'
import { labelText } from '#observe/metrics'

/** By what containers are told apart: names, and never ids unless two would be called the same. */
export interface ContainerNames {
  /** `web`; `shop-web-1` of a task, whatever its container is called. */
  readonly container: string
  readonly stack: string
  readonly service: string
  /** Its number among the service's tasks; empty: it is none. */
  readonly task: string
}

/** Those by which other programs name what they start. */
const COMPOSE = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  number: 'com.docker.compose.container-number',
} as const
const SWARM_SERVICE = 'com.docker.swarm.service.name'

export function containerNames({
  name,
  spec,
}: Pick<ContainerRecord, 'name'> & { readonly spec: Pick<ContainerRecord['spec'], 'labels'> }): ContainerNames {
  const { labels } = spec
  const stack = labels[TASK_LABELS.stack] ?? labels[COMPOSE.project] ?? ''
  const service = labels[COMPOSE.service] ?? labels[TASK_LABELS.service] ?? labels[SWARM_SERVICE] ?? ''
  const task = labels[TASK_LABELS.number] ?? labels[COMPOSE.number] ?? ''
  const id = labels[TASK_LABELS.task]
  // `web.1.ID` and `shop-web-1-ID` while it makes room for the next: the id would make a new series of every task.
  const plain =
    id === undefined
      ? name
      : name.endsWith(`.${id}`)
        ? name.slice(0, -id.length - 1)
        : name.replace(new RegExp(`-${id.slice(0, SHORT_ID)}$`), '')
  return { container: plain, stack, service, task }
}

const SHORT_ID = 8

/** The label text of each container, each its own: of several that are called the same the newest has the name. `containers`: the newest first. */
export function distinctLabels(
  containers: readonly ContainerRecord[],
  known: Map<string, { readonly names: ContainerNames; readonly text: string; readonly whole: string }>,
): ReadonlyMap<string, string> {
  const taken = new Set<string>()
  const wholeNames = new Set(containers.map(({ name }) => name))
  const texts = new Map<string, string>()
  const present = new Set<string>()
  for (const record of containers) {
    present.add(record.id)
    const made = known.get(record.id)
    const kept = made?.whole === record.name ? made : textsOf(record)
    known.set(record.id, kept)
    const { container } = kept.names
    const isFree = container === record.name || (!wholeNames.has(container) && !taken.has(container))
    taken.add(container)
    texts.set(record.id, isFree ? kept.text : labelText(toldNames({ ...kept.names, container: record.name })))
  }
  for (const id of known.keys()) if (!present.has(id)) known.delete(id)
  return texts
}

/** An empty label is as none, and none is shorter. */
export function toldNames({ container, stack, service, task }: ContainerNames): Readonly<Record<string, string>> {
  return {
    container,
    ...(stack === '' ? {} : { stack }),
    ...(service === '' ? {} : { service }),
    ...(task === '' ? {} : { task }),
  }
}

function textsOf(record: ContainerRecord) {
  const names = containerNames(record)
  return { names, text: labelText(toldNames(names)), whole: record.name }
}
