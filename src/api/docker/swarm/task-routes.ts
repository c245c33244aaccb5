import { sendJson } from '#api/http'
import { isEnded, type RevisionRecord, type TaskRecord } from '#cluster/model'
import type { Services, Versioned } from '#cluster/services'

import type { DockerApiEngine } from '../engine.ts'
import { readFilters, type Filters } from '../filters.ts'
import { idOf } from '../routes/ids.ts'
import { asManager } from './surroundings.ts'
import { desiredState, taskJson, type TaskSurroundings } from './task-json.ts'

const FILTERS = ['_up-to-date', 'desired-state', 'id', 'label', 'name', 'node', 'runtime', 'service']

export const listTasks = asManager(async ({ query, response }, { swarm, engine }) => {
  const filters = readFilters(query.text('filters'), FILTERS)
  const seen = await lookAt(swarm.services)
  // What is over and being forgotten is gone for clients.
  const there = seen.tasks.filter(({ record }) => record.desiredState !== 'remove' || !isEnded(record.status.state))
  const found = there.filter((task) => isWanted(task, filters, seen))
  const around = surroundings(engine)
  sendJson(
    response,
    200,
    found.map((task) => taskJson(task, seen.revisionOf(task.record), around)),
  )
})

export const inspectTask = asManager(async (call, { swarm, engine }) => {
  const task = await swarm.services.task(idOf(call))
  const revisions = await swarm.services.revisions(task.record.serviceId).catch(() => [])
  sendJson(
    call.response,
    200,
    taskJson(
      task,
      revisions.find(({ number }) => number === task.record.revision),
      surroundings(engine),
    ),
  )
})

function surroundings({ networks, containers }: DockerApiEngine): TaskSurroundings {
  return { networks: networks.list(), containers: containers.list() }
}

interface Sight {
  readonly tasks: readonly Versioned<TaskRecord>[]
  readonly revisionOf: (task: TaskRecord) => RevisionRecord | undefined
  readonly nameOf: (serviceId: string) => string
  /** Of its service, and those that its container was to have. */
  readonly labelsOf: (task: TaskRecord) => Readonly<Record<string, string>>
  readonly hostnameOf: (nodeId: string) => string
  /** Hash of what tasks of the service are to be made from now. */
  readonly wantedHash: (serviceId: string) => string | undefined
}

async function lookAt(services: Services): Promise<Sight> {
  const [tasks, sights, nodes] = await Promise.all([services.tasks(), services.list(), services.nodes()])
  const used = new Set(tasks.map(({ record }) => record.serviceId))
  const byId = new Map(sights.map((sight) => [sight.record.id, sight]))
  const revisions = new Map<string, RevisionRecord>()
  for (const { record } of sights)
    // One that is being removed may be gone by now.
    if (used.has(record.id))
      for (const revision of await services.revisions(record.id).catch(() => []))
        revisions.set(`${record.id}/${revision.number}`, revision)
  return {
    tasks,
    revisionOf: (task) => revisions.get(`${task.serviceId}/${task.revision}`),
    labelsOf: ({ serviceId, revision }) => ({
      ...revisions.get(`${serviceId}/${revision}`)?.spec.task.labels,
      ...byId.get(serviceId)?.record.labels,
    }),
    nameOf: (id) => byId.get(id)?.record.name ?? '',
    hostnameOf: (id) => nodes.find(({ record }) => record.id === id)?.record.description.hostname ?? '',
    wantedHash: (id) => byId.get(id)?.revision.templateHash,
  }
}

function isWanted({ record }: Versioned<TaskRecord>, filters: Filters, seen: Sight): boolean {
  const service = seen.nameOf(record.serviceId)
  const { nodeId } = record
  const hostname = nodeId === null ? '' : seen.hostnameOf(nodeId)
  const upToDate = filters.flag('_up-to-date')
  const isUpToDate = seen.revisionOf(record)?.templateHash === seen.wantedHash(record.serviceId)
  return (
    filters.matches('id', (id) => record.id.startsWith(id)) &&
    filters.matches('service', (ref) => record.serviceId.startsWith(ref) || service === ref) &&
    filters.matches('node', (ref) => nodeId !== null && (nodeId.startsWith(ref) || hostname === ref)) &&
    filters.matches('name', (name) => taskName(record, service).startsWith(name)) &&
    filters.matches('desired-state', (state) => desiredState(record) === state.toLowerCase() || isRunningJob(record, state)) &&
    filters.matches('runtime', (runtime) => runtime === 'container') &&
    filters.matchesLabels(seen.labelsOf(record)) &&
    (upToDate === null || upToDate === isUpToDate)
  )
}

/** Clients that ask for what is to run mean what is to be complete as well. */
function isRunningJob(record: TaskRecord, state: string): boolean {
  return state === 'running' && desiredState(record) === 'complete'
}

function taskName({ slot, nodeId, id }: TaskRecord, service: string): string {
  return `${service}.${slot ?? nodeId ?? ''}.${id}`
}
