import { messageOf, type Clock, type Log, type Random, type RecordStore } from '#base'
import { TASK_LABELS, type NodePort, type NodeTask } from '#cluster/agent'
import { keyOf, type RevisionRecord, type StackRecord, type TaskRecord, type TaskStatus } from '#cluster/model'
import { createdService, newTaskId, templateHash } from '#cluster/services'
import { PLAIN_SERVICE, type ServiceSpec, type StackSpec } from '#cluster/spec'
import type { ClusterStore } from '#cluster/store'

import { stackError } from './errors.ts'
import { portKey, wishOf, type SecretVersions } from './wishes.ts'

/** As stacks were written down before their services had records of their own. What came later may be missing. */
interface EarlierStack {
  readonly spec: EarlierSpec
  readonly revision: number
  readonly state: 'active' | 'removing'
  readonly removeVolumes: boolean
  readonly images: Readonly<Record<string, string>>
  readonly chosenPorts: Readonly<Record<string, number>>
}

type EarlierSpec = Omit<StackSpec, 'services' | 'secrets' | 'configs'> &
  Partial<Pick<StackSpec, 'secrets' | 'configs'>> & {
    readonly services: readonly (Omit<ServiceSpec, keyof typeof PLAIN_SERVICE> &
      Partial<Pick<ServiceSpec, keyof typeof PLAIN_SERVICE>>)[]
  }

export interface MigrationPorts {
  /** Of the machine: where they were. */
  readonly records: RecordStore
  readonly store: ClusterStore
  readonly node: Pick<NodePort, 'listTasks'>
  readonly nodeId: string
  readonly secrets: SecretVersions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const TABLE = 'stacks'

/** Whether there is anything to do. */
export function hasEarlierStacks({ records }: Pick<MigrationPorts, 'records'>): boolean {
  return records.table<EarlierStack>(TABLE).entries().length > 0
}

/**
 * Takes over the stacks of earlier versions, each in one transaction; containers that are made as is wanted become tasks that run, and are not touched. The node's record
 * has to be there. Killed anywhere, the next start goes on.
 */
export async function migrateStacks(ports: MigrationPorts): Promise<void> {
  const table = ports.records.table<EarlierStack>(TABLE)
  for (const [name, earlier] of table.entries()) {
    try {
      if ((await ports.store.get(keyOf('stack', name))) === undefined) await migrateStack(earlier, ports)
      table.delete(name)
      ports.log.info('took over an application of an earlier version', { stack: name })
    } catch (error) {
      // The others need not wait for it, and neither need whoever wants to see what is wrong.
      ports.log.error('could not take over an application of an earlier version', { stack: name, error: messageOf(error) })
    }
  }
}

async function migrateStack(earlier: EarlierStack, ports: MigrationPorts): Promise<void> {
  const { store, secrets, clock, random } = ports
  const nowMs = clock.nowMs()
  const spec = completed(earlier.spec)
  const record: StackRecord = {
    spec,
    revision: earlier.revision,
    state: earlier.state,
    removeVolumes: earlier.removeVolumes,
    chosenPorts: keptPorts(spec, earlier.chosenPorts),
    awaited: {},
    former: { networks: [], volumes: [] },
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
  const containers = (await ports.node.listTasks()).filter(({ labels }) => labels[TASK_LABELS.stack] === spec.name)
  const puts: { key: string; value: unknown }[] = [{ key: keyOf('stack', spec.name), value: record }]
  let left = containers.filter(({ labels }) => labels[TASK_LABELS.task] === undefined)
  for (const service of spec.services) {
    const own = left.filter(({ labels }) => labels[TASK_LABELS.service] === service.name)
    left = left.filter((container) => !own.includes(container))
    await takeOver(service, own)
  }
  // Of services that the file had no longer: they go the way of a service that is removed.
  for (const [name, own] of Map.groupBy(left, ({ labels }) => labels[TASK_LABELS.service] ?? '')) {
    const like = spec.services[0]
    if (like !== undefined) await takeOver({ ...like, name, ports: [], dependsOn: [], containerName: null }, own, true)
  }
  const conditions = puts.map(({ key }) => ({ key, revision: 0 }))
  if ((await store.write({ conditions, puts })) === null)
    throw stackError('stack.changed', `the stack ${spec.name} of an earlier version has a name that is in use`)

  async function takeOver(service: ServiceSpec, own: readonly NodeTask[], isGone = false): Promise<void> {
    const wish = wishOf(record, service, earlier.images[service.name] ?? null, await secrets.versions(service, spec))
    const made = createdService(newTaskId(random), wish, nowMs)
    const state = isGone || record.state === 'removing' ? ('removing' as const) : ('active' as const)
    puts.push({ key: keyOf('name', 'service', wish.name), value: { id: made.service.id } })
    puts.push({ key: keyOf('service', made.service.id), value: { ...made.service, state } })
    if (made.revision === null) return
    puts.push({ key: keyOf('revision', made.service.id, 1), value: made.revision })
    for (const container of own) {
      const task = adopted(container, made.revision, isGone, ports)
      puts.push({ key: keyOf('task', task.id), value: task })
    }
  }
}

function completed(spec: EarlierSpec): StackSpec {
  const services = spec.services.map((service) => ({ ...PLAIN_SERVICE, ...service }))
  return { ...spec, services, secrets: spec.secrets ?? [], configs: spec.configs ?? [] }
}

function keptPorts(spec: StackSpec, chosen: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const keys = new Set(spec.services.flatMap(({ name, ports }) => ports.map((port) => portKey(name, port))))
  return Object.fromEntries(Object.entries(chosen).filter(([key]) => keys.has(key)))
}

/** One that was made from something else is told to go: the service makes another one in its place. */
function adopted(container: NodeTask, revision: RevisionRecord, isGone: boolean, ports: MigrationPorts): TaskRecord {
  const nowMs = ports.clock.nowMs()
  const isCurrent = !isGone && container.labels[TASK_LABELS.hash] === earlierHash(revision)
  return {
    id: newTaskId(ports.random),
    serviceId: revision.serviceId,
    revision: revision.number,
    slot: Number(container.labels[TASK_LABELS.number] ?? 1),
    nodeId: ports.nodeId,
    desiredState: isCurrent ? 'running' : 'remove',
    status: adoptedStatus(container, nowMs),
    startAfterMs: 0,
    reason: isCurrent ? 'it was there before' : 'it was made from another version of the file',
    runId: null,
    placement: 'it was there before',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
}

/** Secrets and checks did not count then. */
function earlierHash({ spec, parts, imageId }: RevisionRecord): string {
  const { checks, secrets, configs } = PLAIN_SERVICE
  return templateHash({ ...spec, checks, secrets, configs }, parts, imageId)
}

function adoptedStatus(container: NodeTask, nowMs: number): TaskStatus {
  const { id, exitCode, isOomKilled, startedAtMs, finishedAtMs, health, healthOutput, addresses } = container
  const isAlive = container.state === 'running' || container.state === 'paused' || container.state === 'restarting'
  const isReady = container.state === 'running' && (health === 'none' || health === 'healthy')
  const base = { containerId: id, isOomKilled, startedAtMs, addresses, hostPorts: [], error: container.error }
  if (isAlive)
    return {
      ...base,
      state: 'running',
      sinceMs: startedAtMs ?? nowMs,
      message: 'runs',
      exitCode: null,
      isReady,
      readySinceMs: isReady ? (startedAtMs ?? nowMs) : null,
      ...(health === 'none' ? {} : { health, healthOutput }),
    }
  const isGood = container.state === 'exited' && exitCode === 0 && !isOomKilled && container.error === ''
  return {
    ...base,
    state: isGood ? 'complete' : 'failed',
    sinceMs: finishedAtMs ?? nowMs,
    message: `ended with exit code ${exitCode}`,
    exitCode,
    isReady: false,
    readySinceMs: null,
  }
}
