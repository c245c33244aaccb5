import { arch, hostname } from 'node:os'

import { newId, type Clock, type Log, type Random, type RecordStore } from '#base'
import { keepNodeAlive, startAgent, type CheckPort, type NodePort } from '#cluster/agent'
import { startHistoryKeeping } from '#cluster/history'
import { startJobs } from '#cluster/jobs'
import type { NodeDescription } from '#cluster/model'
import { startRouteLoop, type RoutePort, type RouteLoop } from '#cluster/routes'
import { DEFAULT_SETTINGS, startScheduling, type Scheduling } from '#cluster/scheduler'
import type { Secrets } from '#cluster/secrets'
import { openMirror, openServices, SERVICE_PREFIXES, startServiceLoop, type Mirror, type Services } from '#cluster/services'
import { hasEarlierStacks, migrateStacks, openStacks, type Stacks } from '#cluster/stacks'
import type { ClusterStore } from '#cluster/store'
import type { Router } from '#traffic/router'

import type { ImagePulls } from '../image-pulls.ts'
import { PROGRAM_VERSION } from '../program-version.ts'
import { canaryMetrics } from './canary-metrics.ts'

export interface OrchestrationNeeds {
  readonly store: ClusterStore
  readonly records: RecordStore
  readonly node: NodePort
  readonly checks: CheckPort
  readonly router: Pick<Router, 'metrics'> & RoutePort
  readonly secrets: Pick<Secrets, 'versions'>
  readonly pulls: Pick<ImagePulls, 'want' | 'failure' | 'listen'>
  /** Tasks of each slot; undefined: as always. */
  readonly keptTasksPerSlot: () => number | undefined
  readonly machine: { readonly cpus: number; readonly memoryBytes: number }
  /** So often tasks are moved to where they stand better; null: only when somebody asks for it. */
  readonly rebalanceEveryMs: number | null
  /** Told of each round of placing, in milliseconds. */
  readonly onPlaced: (ms: number) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Everything that turns what is wanted into containers, on this one machine. */
export interface Orchestration extends AsyncDisposable {
  readonly stacks: Stacks
  readonly services: Services
  readonly nodeId: string
  /** From now on containers are made and ended, and the router is told where they are. */
  begin(): void
  /** Everything that services, nodes, tasks and runs are now, and each change of it. */
  readonly mirror: Mirror
  readonly scheduling: Pick<Scheduling, 'moves' | 'rebalance'>
  /** Called after each look at the services. */
  readonly listen: (changed: () => void) => Disposable
}

const NANOS = 1_000_000_000
const ADDRESS = '127.0.0.1'

export async function openOrchestration(needs: OrchestrationNeeds): Promise<Orchestration> {
  const { store, clock, random, log, node, router, secrets } = needs
  await using undo = new AsyncDisposableStack()
  const nodeId = ownNodeId(needs)
  const mirror = undo.use(openMirror({ store, clock, log, prefixes: [...SERVICE_PREFIXES, 'stack/'] }))
  const describe = async () => await describeNode(needs)
  const presence = undo.use(keepNodeAlive({ nodeId, role: 'manager', describe, address: ADDRESS, store, clock, log }))
  if (hasEarlierStacks(needs)) {
    await presence.ready
    await migrateStacks({ ...needs, nodeId })
  }
  // Whoever asks finds what was wanted before.
  await mirror.opened
  let routing: RouteLoop | undefined
  const loop = undo.use(
    startServiceLoop({
      store,
      mirror,
      clock,
      random,
      log,
      metrics: canaryMetrics(router, () => routing?.traffic() ?? [], clock),
      images: {
        resolve: async (reference) => await node.resolveImage(reference),
        fetch: (reference) => needs.pulls.want(reference),
        failure: (reference) => needs.pulls.failure(reference),
      },
      keptTasksPerSlot: needs.keptTasksPerSlot,
    }),
  )
  const { rebalanceEveryMs } = needs
  const scheduling = undo.use(
    startScheduling({
      store,
      picture: mirror,
      clock,
      log,
      settings: DEFAULT_SETTINGS,
      rebalanceEveryMs,
      onRound: needs.onPlaced,
    }),
  )
  undo.use(startJobs({ store, picture: mirror, clock, log }))
  undo.use(startHistoryKeeping({ store, clock, log }))
  undo.use(node.events(() => loop.trigger()))
  undo.use(needs.pulls.listen(() => loop.trigger()))
  const began = Promise.withResolvers<void>()
  // Not told anything before the rest is there: names and rules come before tasks, and tasks before traffic.
  const held: RoutePort = { ...router, apply: async (routes) => await began.promise.then(async () => await router.apply(routes)) }
  const routeLoop = undo.use(startRouteLoop({ mirror, routes: held, clock, log }))
  routing = routeLoop
  const stacks = undo.use(openStacks({ store, mirror, loop, routeLoop, node, routes: router, secrets, clock, random, log }))
  const agents = undo.use(new AsyncDisposableStack())
  const owned = undo.move()
  return {
    nodeId,
    mirror,
    stacks,
    scheduling,
    listen: (changed) => loop.listen(changed),
    services: openServices({ store, mirror, clock, random, waits: (id) => loop.waits(id), lastPlan: (id) => loop.lastPlan(id) }),
    begin: () => {
      began.resolve()
      const connections = async () => await connectionsByTask(router)
      const toldRevision = () => routeLoop.toldRevision()
      const agent = startAgent({ nodeId, node, store, mirror, checks: needs.checks, connections, toldRevision, clock, log })
      agents.use(agent)
      agents.use(routeLoop.listen(() => agent.trigger()))
    },
    [Symbol.asyncDispose]: async () => {
      began.resolve()
      await owned.disposeAsync()
    },
  }
}

/** A task that a route has twice is there with its port the second time. */
async function connectionsByTask(router: Pick<RoutePort, 'connections'>): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>()
  for (const [id, count] of await router.connections()) {
    const taskId = id.split('.')[0] ?? id
    sums.set(taskId, (sums.get(taskId) ?? 0) + count)
  }
  return sums
}

async function describeNode({ machine, node }: OrchestrationNeeds): Promise<NodeDescription> {
  return {
    hostname: hostname(),
    platform: { os: 'linux', architecture: arch() === 'x64' ? 'amd64' : arch() },
    nanoCpus: machine.cpus * NANOS,
    memoryBytes: machine.memoryBytes,
    engineLabels: {},
    engineVersion: PROGRAM_VERSION,
    volumes: (await node.listVolumes()).filter((name) => !ANONYMOUS_VOLUME.test(name)).toSorted(),
  }
}

/** No other task will ever ask for it. */
const ANONYMOUS_VOLUME = /^[0-9a-f]{64}$/

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
