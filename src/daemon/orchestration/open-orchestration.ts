import { arch, hostname } from 'node:os'

import { messageOf, newId, type Clock, type Log, type Random, type RecordStore } from '#base'
import { keepNodeAlive, startAgent, type CheckPort, type NodePort } from '#cluster/agent'
import { startHistoryKeeping } from '#cluster/history'
import { startJobs } from '#cluster/jobs'
import { prefixOf, type NodeDescription, type RevisionRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import type { RoutePort } from '#cluster/reconcile'
import { DEFAULT_SETTINGS, startScheduling, type Scheduling } from '#cluster/scheduler'
import { openMirror, openServices, SERVICE_PREFIXES, startServiceLoop, type Mirror, type Services } from '#cluster/services'
import type { ClusterStore } from '#cluster/store'
import type { Router } from '#traffic/router'

import type { ImagePulls } from '../image-pulls.ts'
import { PROGRAM_VERSION } from '../program-version.ts'
import { canaryMetrics } from './canary-metrics.ts'
import { planServiceRoutes, type RoutedService } from './service-routes.ts'

export interface OrchestrationNeeds {
  readonly store: ClusterStore
  readonly records: RecordStore
  readonly node: NodePort
  readonly checks: CheckPort
  readonly router: Pick<Router, 'metrics'>
  readonly routes: RoutePort
  readonly pulls: Pick<ImagePulls, 'want' | 'failure' | 'listen'>
  /** Tasks of each slot; undefined: as always. */
  readonly keptTasksPerSlot: () => number | undefined
  readonly machine: { readonly cpus: number; readonly memoryBytes: number }
  /** So often tasks are moved to where they stand better; null: only when somebody asks for it. */
  readonly rebalanceEveryMs: number | null
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Everything that turns services into containers, on this one machine. */
export interface Orchestration extends AsyncDisposable {
  readonly services: Services
  readonly nodeId: string
  /** Everything that services, nodes, tasks and runs are now, and each change of it. */
  readonly mirror: Mirror
  readonly scheduling: Pick<Scheduling, 'moves' | 'rebalance'>
  /** Called after each look at the services. */
  readonly listen: (changed: () => void) => Disposable
}

const NANOS = 1_000_000_000
const ADDRESS = '127.0.0.1'

export function openOrchestration(needs: OrchestrationNeeds): Orchestration {
  const { store, clock, random, log, node } = needs
  const nodeId = ownNodeId(needs)
  const mirror = openMirror({ store, clock, log, prefixes: SERVICE_PREFIXES })
  const description: NodeDescription = {
    hostname: hostname(),
    platform: { os: 'linux', architecture: arch() === 'x64' ? 'amd64' : arch() },
    nanoCpus: needs.machine.cpus * NANOS,
    memoryBytes: needs.machine.memoryBytes,
    engineLabels: {},
    engineVersion: PROGRAM_VERSION,
  }
  const nameOf = (id: string) => mirror.get<ServiceRecord>(`${prefixOf('service')}${id}`)?.value.name
  const presence = keepNodeAlive({ nodeId, role: 'manager', description, address: ADDRESS, store, clock, log })
  const loop = startServiceLoop({
    store,
    mirror,
    clock,
    random,
    log,
    metrics: canaryMetrics(needs.router, nameOf, clock),
    images: {
      resolve: async (reference) => await node.resolveImage(reference),
      fetch: (reference) => needs.pulls.want(reference),
      failure: (reference) => needs.pulls.failure(reference),
    },
    keptTasksPerSlot: needs.keptTasksPerSlot,
  })
  const scheduling = startScheduling({
    store,
    picture: mirror,
    clock,
    log,
    settings: DEFAULT_SETTINGS,
    rebalanceEveryMs: needs.rebalanceEveryMs,
  })
  const jobs = startJobs({ store, picture: mirror, clock, log })
  const connections = async () => await needs.routes.connections()
  const agent = startAgent({ nodeId, node, store, mirror, checks: needs.checks, connections, clock, log })
  const routing = followRoutes(mirror, needs)
  const images = node.events(() => loop.trigger())
  const pulled = needs.pulls.listen(() => loop.trigger())
  const keeping = startHistoryKeeping({ store, clock, log })
  return {
    nodeId,
    mirror,
    scheduling,
    listen: (changed) => loop.listen(changed),
    services: openServices({ store, mirror, clock, random, waits: (id) => loop.waits(id), lastPlan: (id) => loop.lastPlan(id) }),
    [Symbol.asyncDispose]: async () => {
      images[Symbol.dispose]()
      pulled[Symbol.dispose]()
      await keeping[Symbol.asyncDispose]()
      await routing[Symbol.asyncDispose]()
      await agent[Symbol.asyncDispose]()
      await jobs[Symbol.asyncDispose]()
      await scheduling[Symbol.asyncDispose]()
      await loop[Symbol.asyncDispose]()
      await presence[Symbol.asyncDispose]()
      await mirror[Symbol.asyncDispose]()
    },
  }
}

/** Stays the same as long as the records of the machine do. */
function ownNodeId({ records, random }: OrchestrationNeeds): string {
  const table = records.table<{ readonly id: string }>('cluster-node')
  const known = table.get('own')
  if (known !== undefined) return known.id
  const made = newId<string>(random).slice(0, NODE_ID_LENGTH)
  table.put('own', { id: made })
  return made
}

/** As many characters as Docker's ids of nodes have. */
const NODE_ID_LENGTH = 25

/** Tells the router of each change; one that is under way is followed by another. */
function followRoutes(mirror: Mirror, { routes, log }: OrchestrationNeeds): AsyncDisposable {
  let told = ''
  let isDirty = false
  let isClosed = false
  let running: Promise<void> | undefined
  const trigger = (): void => {
    isDirty = true
    if (running !== undefined || isClosed) return
    running = tell().finally(() => {
      running = undefined
      if (isDirty) trigger()
    })
  }
  async function tell(): Promise<void> {
    isDirty = false
    await mirror.opened
    const wanted = planServiceRoutes(standAlone(mirror))
    const text = JSON.stringify(wanted)
    if (text === told) return
    try {
      for (const { id, reason } of await routes.apply(wanted))
        log.warn('a port of a service is not served', { route: id, reason })
      told = text
    } catch (error) {
      log.warn('the router did not take the routes of services', { error: messageOf(error) })
    }
  }
  const following = mirror.listen(trigger)
  trigger()
  return {
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      following[Symbol.dispose]()
      await running
    },
  }
}

function standAlone(mirror: Mirror): readonly RoutedService[] {
  const revisions = Map.groupBy(
    mirror.range<RevisionRecord>(prefixOf('revision')).map(({ value }) => value),
    (revision) => revision.serviceId,
  )
  const tasks = Map.groupBy(
    mirror.range<TaskRecord>(prefixOf('task')).map(({ value }) => value),
    (task) => task.serviceId,
  )
  return mirror.range<ServiceRecord>(prefixOf('service')).map(({ value: service }) => ({
    service,
    revisions: new Map((revisions.get(service.id) ?? []).map((revision) => [revision.number, revision])),
    tasks: tasks.get(service.id) ?? [],
  }))
}
