import { type Clock, type Random } from '#base'
import { historyPuts } from '#cluster/history'
import {
  ITSELF,
  keyOf,
  prefixOf,
  type Actor,
  type HistoryEvent,
  type NodeRecord,
  type RevisionRecord,
  type RunRecord,
  type ServiceRecord,
  type TaskRecord,
} from '#cluster/model'
import type { ClusterStore, Entry, Transaction } from '#cluster/store'

import { newTaskId } from './apply-plan.ts'
import { MAX_SERVICES } from './bounds.ts'
import { clusterPictures } from './cluster-picture.ts'
import { serviceError } from './errors.ts'
import { findOne } from './lookup.ts'
import type { Mirror } from './mirror.ts'
import type { NodeChange, Services, ServicesEvent, ServiceSight, TaskFilter, Versioned, Wait } from './port.ts'
import { askedEvents, createdEvent, updatedEvents, type Verb } from './asked-events.ts'
import { isLive } from './service-state.ts'
import { sightOf } from './sight.ts'
import {
  abortedService,
  createdService,
  pausedService,
  promotedService,
  resumedService,
  rolledBackService,
  scaledService,
  updatedService,
} from './wanted-service.ts'

export interface ServicesPorts {
  readonly store: ClusterStore
  readonly mirror: Mirror
  readonly clock: Clock
  readonly random: Random
  /** Why services are not as wanted: of the loop. */
  readonly waits: (serviceId: string) => readonly Wait[]
  /** The record that they were planned from. Absent: nobody knows. */
  readonly lastPlan?: (serviceId: string) => { readonly revision: number } | undefined
  /** In whose name services are changed. Absent: whoever a wish says. */
  readonly actor?: Actor
}

/** A loop and a user write the same service now and then; more conflicts in a row than this are no accident. */
const MAX_TRIES = 20
const CONFLICT_MS = 5

/** What was read from the store for one change. */
interface ServiceNow {
  readonly entry: Entry<ServiceRecord>
  readonly revisions: readonly RevisionRecord[]
}

interface Outcome<T> {
  readonly writes: Pick<Transaction, 'puts' | 'deletes' | 'conditions'>
  readonly answer: (revision: number) => T
  readonly events: readonly HistoryEvent[]
  /** Who said so, as the wish says. */
  readonly by?: string
}

export function openServices(ports: ServicesPorts): Services {
  const { store, mirror, clock, random, waits, lastPlan = () => undefined } = ports
  const actorOf = (by?: string): Actor => ports.actor ?? (by === undefined ? ITSELF : { by, from: 'api' })
  const told = (service: ServiceRecord, events: readonly HistoryEvent[], by?: string) =>
    historyPuts({ service, actor: actorOf(by), atMs: clock.nowMs(), random }, events)
  const picture = clusterPictures(mirror)

  async function find(ref: string): Promise<ServiceNow> {
    const all = (await store.range<ServiceRecord>(prefixOf('service'))).entries
    const names = { id: idOf, name: (item: Entry<ServiceRecord>) => item.value.name, kind: 'service' }
    const entry = findOne(all, ref, names, 'service.not_found')
    const revisions = await store.range<RevisionRecord>(prefixOf('revision', entry.value.id))
    return { entry, revisions: revisions.entries.map(({ value }) => value) }
  }

  /** Reads, decides and writes, until nobody else wrote in between. */
  async function change<T>(ref: string, version: number | undefined, decide: (now: ServiceNow) => Outcome<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const now = await find(ref)
      const { entry } = now
      if (version !== undefined && version !== entry.revision)
        throw serviceError(
          'service.changed',
          `service ${entry.value.name} was changed meanwhile: version ${version}, now ${entry.revision}`,
        )
      if (entry.value.state === 'removing')
        throw serviceError('service.is_being_removed', `service ${entry.value.name} is being removed`)
      const { writes, answer, events, by } = decide(now)
      if ((writes.puts ?? []).length === 0) return answer(entry.revision)
      const revision = await store.write({
        ...writes,
        puts: [...(writes.puts ?? []), ...told(entry.value, events, by)],
        conditions: [{ key: entry.key, revision: entry.revision }, ...(writes.conditions ?? [])],
      })
      if (revision !== null) return answer(revision)
      if (tries >= MAX_TRIES)
        throw serviceError('service.changed', `service ${entry.value.name} is changed by others all the time`)
      await clock.sleep(CONFLICT_MS)
    }
  }

  async function changeRecord(
    ref: string,
    version: number | undefined,
    verb: Verb,
    next: (now: ServiceNow) => ServiceRecord,
  ): Promise<Versioned<ServiceRecord>> {
    return await change(ref, version, (now) => {
      const record = next(now)
      const puts = record === now.entry.value ? [] : [{ key: now.entry.key, value: record }]
      const events = askedEvents(verb, now.entry.value, record)
      return { writes: { puts }, answer: (revision) => ({ record, version: revision }), events }
    })
  }

  async function sights(): Promise<readonly ServiceSight[]> {
    await mirror.opened
    const cluster = picture(clock.nowMs())
    return [...cluster.services.values()]
      .flatMap((state) => {
        const version = mirror.revisionOf(keyOf('service', state.service.id))
        return sightOf(state, cluster, version, waits(state.service.id), lastPlan(state.service.id)?.revision) ?? []
      })
      .toSorted((a, b) => (a.record.name < b.record.name ? -1 : 1))
  }

  async function nodes(): Promise<readonly Entry<NodeRecord>[]> {
    return (await store.range<NodeRecord>(prefixOf('node'))).entries
  }

  async function findNode(ref: string): Promise<Entry<NodeRecord>> {
    const names = { id: idOf, name: (item: Entry<NodeRecord>) => item.value.description.hostname, kind: 'node' }
    return findOne(await nodes(), ref, names, 'service.node_not_found')
  }

  async function tasks(filter: TaskFilter = {}): Promise<readonly Versioned<TaskRecord>[]> {
    const all = (await store.range<TaskRecord>(prefixOf('task'))).entries
    const serviceId = filter.service === undefined ? null : (await find(filter.service)).entry.value.id
    const nodeId = filter.node === undefined ? null : (await findNode(filter.node)).value.id
    return all
      .filter(({ value }) => serviceId === null || value.serviceId === serviceId)
      .filter(({ value }) => nodeId === null || value.nodeId === nodeId)
      .filter(({ value }) => filter.isEnded === undefined || isLive(value) !== filter.isEnded)
      .map(versioned)
      .toSorted((a, b) => b.record.createdAtMs - a.record.createdAtMs)
  }

  return {
    create: async (wish) => {
      for (;;) {
        const all = await store.range<ServiceRecord>(prefixOf('service'))
        if (all.entries.some(({ value }) => value.name === wish.name))
          throw serviceError('service.name_in_use', `there is a service ${wish.name} already`)
        if (all.entries.length >= MAX_SERVICES)
          throw serviceError('service.too_many', `there are ${MAX_SERVICES} services already`)
        const { service, revision } = createdService(newTaskId(random), wish, clock.nowMs())
        const nameKey = keyOf('name', 'service', wish.name)
        const written = await store.write({
          // Two that create the same name at once: the name's own key lets one of them win.
          conditions: [{ key: nameKey, revision: (await store.get(nameKey))?.revision ?? 0 }],
          puts: [
            { key: nameKey, value: { id: service.id } },
            { key: keyOf('service', service.id), value: service },
            { key: keyOf('revision', service.id, 1), value: revision },
            ...told(service, [createdEvent(service, wish)], wish.by),
          ],
        })
        if (written !== null) return { record: service, version: written }
        await clock.sleep(CONFLICT_MS)
      }
    },
    update: async (ref, wish, version) =>
      await change(ref, version, ({ entry, revisions }) => {
        const { service, revision, isChanged } = updatedService(entry.value, revisions, wish, clock.nowMs())
        const made = revision === null ? [] : [{ key: keyOf('revision', service.id, revision.number), value: revision }]
        const conditions = made.map(({ key }) => ({ key, revision: 0 }))
        return {
          writes: { puts: [{ key: entry.key, value: service }, ...made], conditions },
          answer: (written) => ({ record: service, version: written, isChanged }),
          events: updatedEvents(entry.value, revisions, { service, revision }),
          by: wish.by,
        }
      }),
    rollback: async (ref, by, version) =>
      await changeRecord(ref, version, 'rollback', ({ entry, revisions }) =>
        rolledBackService(entry.value, revisions, by, clock.nowMs()),
      ),
    scale: async (ref, replicas, version) =>
      await changeRecord(ref, version, 'scale', ({ entry, revisions }) => {
        const mode = revisions.find(({ number }) => number === entry.value.revision)?.spec.mode ?? 'replicated'
        return scaledService(entry.value, mode, replicas, clock.nowMs())
      }),
    pause: async (ref) => await changeRecord(ref, undefined, 'pause', ({ entry }) => pausedService(entry.value, clock.nowMs())),
    resume: async (ref) =>
      await changeRecord(ref, undefined, 'resume', ({ entry }) => resumedService(entry.value, clock.nowMs())),
    promote: async (ref) =>
      await changeRecord(ref, undefined, 'promote', ({ entry }) => promotedService(entry.value, clock.nowMs())),
    abort: async (ref) => await changeRecord(ref, undefined, 'abort', ({ entry }) => abortedService(entry.value, clock.nowMs())),
    remove: async (ref) => {
      if ((await find(ref)).entry.value.state === 'removing') return
      await changeRecord(ref, undefined, 'remove', ({ entry }) => ({
        ...entry.value,
        state: 'removing',
        updatedAtMs: clock.nowMs(),
      }))
    },
    get: async (ref) => {
      const { id } = (await find(ref)).entry.value
      const cluster = picture(clock.nowMs())
      const state = cluster.services.get(id)
      const version = mirror.revisionOf(keyOf('service', id))
      const sight = state === undefined ? undefined : sightOf(state, cluster, version, waits(id), lastPlan(id)?.revision)
      return sight ?? (await freshSight(id))
    },
    list: sights,
    revisions: async (ref) => (await find(ref)).revisions,
    tasks,
    task: async (ref) => {
      const names = { id: (item: Versioned<TaskRecord>) => item.record.id, name: () => '', kind: 'task' }
      return findOne(await tasks(), ref, names, 'service.task_not_found')
    },
    nodes: async () =>
      (await nodes()).map(versioned).toSorted((a, b) => (a.record.description.hostname < b.record.description.hostname ? -1 : 1)),
    node: async (ref) => versioned(await findNode(ref)),
    updateNode,
    removeNode: async (ref, isForced) => {
      const entry = await findNode(ref)
      const { status, description, id } = entry.value
      const isBusy = status.state === 'ready' || (await tasks({ node: id, isEnded: false })).length > 0
      if (isBusy && !isForced)
        throw serviceError('service.node_in_use', `node ${description.hostname} is ${status.state} or has tasks`, {
          hint: 'Drain it, stop its daemon, and remove it then; or force it.',
        })
      await store.write({ deletes: [entry.key] })
    },
    watch: (signal) => watch(store, signal),
    as: (actor) => openServices({ ...ports, actor }),
  }

  /** The mirror is a moment behind: the service was made just now. */
  async function freshSight(id: string): Promise<ServiceSight> {
    const { entry, revisions } = await find(id)
    const state = { service: entry.value, revisions: new Map(revisions.map((one) => [one.number, one])), tasks: [], runs: [] }
    const nodeRecords = new Map((await nodes()).map(({ value }) => [value.id, value]))
    const cluster = { nowMs: clock.nowMs(), nodes: nodeRecords, services: new Map([[id, state]]), metrics: new Map() }
    const sight = sightOf(state, cluster, entry.revision, [])
    if (sight === undefined) throw serviceError('service.not_found', `no such service: ${id}`)
    return sight
  }

  async function updateNode(ref: string, to: NodeChange, version?: number): Promise<Versioned<NodeRecord>> {
    for (let tries = 1; ; tries += 1) {
      const entry = await findNode(ref)
      const { hostname } = entry.value.description
      if ((version !== undefined && version !== entry.revision) || tries > MAX_TRIES)
        throw serviceError('service.changed', `node ${hostname} was changed meanwhile`)
      const record: NodeRecord = { ...entry.value, ...to, updatedAtMs: clock.nowMs() }
      const conditions = [{ key: entry.key, revision: entry.revision }]
      const written = await store.write({ conditions, puts: [{ key: entry.key, value: record }] })
      if (written !== null) return { record, version: written }
      await clock.sleep(CONFLICT_MS)
    }
  }
}

function idOf(entry: Entry<{ readonly id: string }>): string {
  return entry.value.id
}

function versioned<T>(entry: Entry<T>): Versioned<T> {
  return { record: entry.value, version: entry.revision }
}

const WATCHED = ['service', 'task', 'node', 'run'] as const

async function* watch(store: ClusterStore, signal: AbortSignal): AsyncGenerator<ServicesEvent, void, void> {
  const all = await store.range<ServiceRecord & TaskRecord & NodeRecord & RunRecord>('')
  for (const { key, value, revision } of all.entries) {
    const event = eventOf(key, value, revision)
    if (event !== undefined) yield event
  }
  yield { kind: 'all-told', version: all.revision }
  for await (const batch of store.watch<ServiceRecord & TaskRecord & NodeRecord & RunRecord>('', all.revision, signal))
    for (const { key, value } of batch.changes) {
      const event = eventOf(key, value, batch.revision)
      if (event !== undefined) yield event
    }
}

function eventOf(
  key: string,
  value: (ServiceRecord & TaskRecord & NodeRecord & RunRecord) | null,
  version: number,
): ServicesEvent | undefined {
  const kind = WATCHED.find((one) => key.startsWith(`${one}/`))
  return kind === undefined ? undefined : { kind, id: key.slice(key.lastIndexOf('/') + 1), version, record: value }
}
