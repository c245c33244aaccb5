import { TASK_LABELS } from '#cluster/agent'
import { isEnded, keyOf, prefixOf, type RevisionRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import type { Mirror } from '#cluster/services'
import type { ServiceSpec } from '#cluster/spec'
import type { ContainerRecord } from '#engine/containers'

/** What networking knows of the cluster's services, with the containers that run them here. */
export interface ClusterSight {
  readonly services: readonly SeenService[]
  /** Whose task a container is; undefined: nobody's. */
  ownerOf(container: ContainerRecord): TaskOwner | undefined
}

export interface TaskOwner {
  /** null: its service stands alone. */
  readonly application: string | null
  readonly service: string
}

export interface SeenService {
  readonly id: string
  readonly owner: TaskOwner
  /** As it is wanted now. */
  readonly spec: ServiceSpec
  /** Those that its tasks join, and those that older ones are in as long as they live. */
  readonly networks: readonly SeenNetwork[]
  /** Those that live. */
  readonly tasks: readonly SeenTask[]
}

export interface SeenNetwork {
  /** Its name inside the application. */
  readonly key: string
  /** On the node. */
  readonly name: string
  readonly aliases: readonly string[]
}

export interface SeenTask {
  readonly task: TaskRecord
  /** Undefined: it has none on this machine. */
  readonly container: ContainerRecord | undefined
}

export interface ClusterRecords {
  readonly services: readonly ServiceRecord[]
  readonly revisions: readonly RevisionRecord[]
  readonly tasks: readonly TaskRecord[]
}

export function recordsOf(mirror: Pick<Mirror, 'range'>): ClusterRecords {
  const all = <T>(kind: 'service' | 'revision' | 'task') => mirror.range<T>(prefixOf(kind)).map(({ value }) => value)
  return { services: all('service'), revisions: all('revision'), tasks: all('task') }
}

/** Calls `changed` when networks, names or readiness may be others: most that is written of a task on its way says nothing of these. */
export function followSight(mirror: Pick<Mirror, 'listen'>, changed: () => void): Disposable {
  const told = new Map<string, string>()
  return mirror.listen(({ changes }) => {
    if (changes.length === 0) {
      told.clear()
      return changed()
    }
    if (changes.filter((change) => isNews(change, told)).length > 0) changed()
  })
}

/** `told` has of each task what it was known by; all of a batch are noted there. */
function isNews({ key, value }: { readonly key: string; readonly value: unknown }, told: Map<string, string>): boolean {
  if (!key.startsWith(prefixOf('task'))) return key.startsWith(prefixOf('service')) || key.startsWith(prefixOf('revision'))
  if (value === null) return told.delete(key)
  const { status, desiredState, nodeId, revision } = value as TaskRecord
  const isReady = status.state === 'running' && status.isReady
  const mark = [
    isReady,
    isEnded(status.state),
    desiredState,
    nodeId,
    revision,
    status.containerId,
    JSON.stringify(status.addresses),
  ].join()
  const isSame = told.get(key) === mark
  told.set(key, mark)
  return !isSame
}

/** Pure. */
export function lookAtCluster(records: ClusterRecords, containers: readonly ContainerRecord[]): ClusterSight {
  const revisions = new Map(records.revisions.map((revision) => [`${revision.serviceId}/${revision.number}`, revision]))
  const tasks = Map.groupBy(records.tasks, ({ serviceId }) => serviceId)
  const byTask = new Map(containers.map((container) => [container.spec.labels[TASK_LABELS.task] ?? '', container]))
  const byId = new Map(containers.map((container) => [container.id as string, container]))
  const containerOf = ({ id, status }: TaskRecord) => byTask.get(id) ?? byId.get(status.containerId ?? '')
  const owners = new Map<string, TaskOwner>()
  const seen: SeenService[] = []
  for (const record of records.services) {
    const wanted = revisions.get(`${record.id}/${record.revision}`)
    if (wanted === undefined) continue
    const owner = ownerOf(record, wanted.spec)
    const live = (tasks.get(record.id) ?? []).filter(({ status }) => !isEnded(status.state))
    const placed = (tasks.get(record.id) ?? []).map((task) => ({ task, container: containerOf(task) }))
    for (const { container } of placed) if (container !== undefined) owners.set(container.id, owner)
    const made = [wanted, ...live.flatMap(({ revision }) => revisions.get(`${record.id}/${revision}`) ?? [])]
    seen.push({
      id: record.id,
      owner,
      spec: wanted.spec,
      networks: networksOf(made),
      tasks: placed.filter(({ task }) => !isEnded(task.status.state)),
    })
  }
  return { services: seen, ownerOf: (container) => owners.get(container.id) ?? ownerByLabels(container) }
}

/** The same for one container, without looking at all the others. */
export function containerOwner(container: ContainerRecord, mirror: Pick<Mirror, 'get'>): TaskOwner | undefined {
  const task = mirror.get<TaskRecord>(keyOf('task', container.spec.labels[TASK_LABELS.task] ?? ''))?.value
  const record = task === undefined ? undefined : mirror.get<ServiceRecord>(keyOf('service', task.serviceId))?.value
  const wanted =
    record === undefined ? undefined : mirror.get<RevisionRecord>(keyOf('revision', record.id, record.revision))?.value
  return record === undefined || wanted === undefined ? ownerByLabels(container) : ownerOf(record, wanted.spec)
}

/** What `docker stack deploy` marks the services and containers of one application with. */
const NAMESPACE = 'com.docker.stack.namespace'
const SWARM_SERVICE = 'com.docker.swarm.service.name'

function ownerOf({ name, stack, labels }: ServiceRecord, spec: ServiceSpec): TaskOwner {
  return stack === null ? inNamespace(labels[NAMESPACE], name) : { application: stack, service: spec.name }
}

/** `docker stack deploy` puts the application's name before the service's. */
function inNamespace(namespace: string | undefined, name: string): TaskOwner {
  if (namespace === undefined || namespace === '') return { application: null, service: name }
  const prefix = `${namespace}_`
  return { application: namespace, service: name.startsWith(prefix) ? name.slice(prefix.length) : name }
}

/** Its task's record is gone, or not there yet: as long as the container lives it is judged by what it was made as. */
function ownerByLabels({ spec: { labels } }: ContainerRecord): TaskOwner | undefined {
  const { [TASK_LABELS.stack]: stack, [TASK_LABELS.service]: service, [SWARM_SERVICE]: swarmService } = labels
  if (stack !== undefined && service !== undefined) return { application: stack, service }
  if (labels[TASK_LABELS.task] === undefined) return undefined
  return inNamespace(labels[NAMESPACE], swarmService ?? service ?? '')
}

/** Of several revisions; the first that names one says what it is called there. */
function networksOf(revisions: readonly RevisionRecord[]): readonly SeenNetwork[] {
  const found = new Map<string, SeenNetwork>()
  for (const { spec, parts } of revisions)
    for (const { network: key, aliases } of spec.task.networks) {
      const name = parts.networks.find((one) => one.key === key)?.name ?? key
      if (!found.has(name)) found.set(name, { key, name, aliases })
    }
  return [...found.values()]
}
