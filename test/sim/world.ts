import { seededRandom, silentLog, virtualClock, type Log, type Random, type VirtualClock } from '#base'
import { keepNodeAlive, startAgent, type CheckPort } from '#cluster/agent'
import { startJobs } from '#cluster/jobs'
import {
  keyOf,
  prefixOf,
  type NodeRecord,
  type RevisionRecord,
  type RunRecord,
  type ServiceRecord,
  type TaskRecord,
} from '#cluster/model'
import { startRotation } from '#cluster/rotation'
import { DEFAULT_SETTINGS, startScheduling } from '#cluster/scheduler'
import {
  openMirror,
  openServices,
  SERVICE_PREFIXES,
  startServiceLoop,
  type RouteMetrics,
  type ServiceLoop,
  type Services,
} from '#cluster/services'
import { memoryStore, type MemoryStore } from '#cluster/store'

import { checkCommit } from './invariants.ts'
import { newLife, NO_FAULTS, type FaultRates, type Life } from './life.ts'
import { machine, type Machine } from './machine.ts'

/** The whole control plane in one process: a store, two loops, and nodes with an agent each, on a clock that only the test moves. */
export interface World {
  readonly clock: VirtualClock
  readonly random: Random
  readonly store: MemoryStore
  readonly services: Services
  readonly machines: ReadonlyMap<string, Machine>
  readonly broken: readonly string[]
  /** The loop of the services that lives now. */
  loop(): ServiceLoop | undefined
  /** From now on parts crash, calls fail, nodes go. Without an argument: nothing of it any more. */
  disturb(rates?: FaultRates): void
  /** Ends the life of one part; it comes back after a while. */
  kill(part: string): void
  /** A node is not reachable for so long. */
  cut(node: string, ms: number): void
  pass(ms: number): Promise<void>
  record(name: string): ServiceRecord | undefined
  revision(service: ServiceRecord): RevisionRecord | undefined
  tasksOf(service: ServiceRecord): readonly TaskRecord[]
  nodeRecords(): readonly NodeRecord[]
  runsOf(service: ServiceRecord): readonly RunRecord[]
  /** What a router would know; by the service's id and revision: share of errors. */
  readonly errorRatios: Map<string, number>
  readonly trace: string[]
}

/** Versions of secrets, by `secret/NAME`: what a rotation follows. */
export interface SimulatedSecret {
  readonly name: string
  readonly version: number
}

/** `hasRotation`: new versions of secrets make new tasks. */
export function openWorld(
  seed: number,
  nodeCount: number,
  tell: (line: string) => void = () => undefined,
  { hasRotation = false }: { readonly hasRotation?: boolean } = {},
): World {
  const random = seededRandom(seed)
  const clock = virtualClock(1_700_000_000_000)
  const store = memoryStore(clock)
  const broken: string[] = []
  const lines: string[] = []
  const trace = {
    push: (line: string) => {
      lines.push(line)
      tell(line)
    },
  }
  const lives = new Map<string, Life>()
  const cutUntil = new Map<string, number>()
  const machines = new Map<string, Machine>()
  const errorRatios = new Map<string, number>()
  let rates = NO_FAULTS
  let loopNow: ServiceLoop | undefined
  const complain = (what: string) => void broken.push(`${clock.nowMs() - 1_700_000_000_000} ms: ${what}`)
  store.onCommit.add((batch, before) => {
    for (const what of checkCommit(batch, before, store.peek())) complain(what)
    note(trace, clock.nowMs() - 1_700_000_000_000, batch.changes)
  })
  const tellLog = (message: string, fields: unknown) =>
    tell(`${clock.nowMs() - 1_700_000_000_000} ${message} ${JSON.stringify(fields)}`)
  const log: Log = { ...silentLog(), error: tellLog }

  const nodeIds = Array.from({ length: nodeCount }, (_, index) => `node${index + 1}`)
  for (const name of nodeIds)
    machines.set(
      name,
      machine({
        clock,
        random,
        name,
        complain,
        onStop: (container) => {
          const task = store.peek().get(keyOf('task', container.labels['io.glovebox.task-id'] ?? '')) as TaskRecord | undefined
          if (task?.status.isReady === true) complain(`${name}: ${container.name} is stopped while it is ready for traffic`)
        },
      }),
    )

  const metrics: RouteMetrics = {
    compare: async ({ serviceId, oldRevision, newRevision, sinceMs, percentile: _percentile }) => {
      const requests = Math.floor((clock.nowMs() - sinceMs) / 20)
      const of = (revision: number | null) => ({
        requests,
        errors: Math.floor(requests * (errorRatios.get(`${serviceId}/${revision}`) ?? 0)),
        latencyMs: 10,
      })
      return await Promise.resolve({ old: of(oldRevision), new: of(newRevision) })
    },
  }
  const checks: CheckPort = { probe: async () => await Promise.resolve({ isGood: true, output: '' }) }

  function begin(part: string): void {
    const life = newLife({
      clock,
      random,
      rates: () => rates,
      isCut: () => (cutUntil.get(part) ?? 0) > clock.nowMs(),
      onDeath: () => {
        trace.push(`${clock.nowMs() - 1_700_000_000_000} ${part} dies`)
        clock.after(200 + random.integer(5000), () => begin(part))
      },
    })
    lives.set(part, life)
    const guarded = life.guard(store)
    const mirror = openMirror({ store: guarded, clock: life.clock, log, prefixes: SERVICE_PREFIXES })
    if (part === 'services')
      loopNow = startServiceLoop({
        store: guarded,
        mirror,
        clock: life.clock,
        random,
        log,
        metrics: life.guard(metrics),
        images: { resolve: async (reference) => await Promise.resolve(`sha256:${reference}`) },
      })
    else if (part === 'scheduler')
      startScheduling({
        store: guarded,
        picture: mirror,
        clock: life.clock,
        log,
        settings: DEFAULT_SETTINGS,
        rebalanceEveryMs: null,
      })
    else if (part === 'jobs') startJobs({ store: guarded, picture: mirror, clock: life.clock, log })
    else if (part === 'rotation') {
      const versions = async () => {
        const { entries } = await guarded.range<SimulatedSecret>('secret/')
        return Object.fromEntries(entries.map(({ value }) => [`secret/${value.name}`, value.version]))
      }
      const changing = openServices({ store: guarded, mirror, clock: life.clock, random, waits: () => [] })
      startRotation({ store: guarded, mirror, services: changing, secrets: { versions }, clock: life.clock, log })
    } else beginAgent(part, life, guarded, mirror)
  }

  function beginAgent(nodeId: string, life: Life, guarded: MemoryStore, mirror: ReturnType<typeof openMirror>): void {
    const here = machines.get(nodeId)
    if (here === undefined) return
    const description = {
      hostname: nodeId,
      platform: { os: 'linux', architecture: 'amd64' },
      nanoCpus: 4e9,
      memoryBytes: 4e9,
      engineLabels: {},
      engineVersion: '1',
    }
    const describe = async () => await Promise.resolve(description)
    keepNodeAlive({ nodeId, role: 'worker', describe, address: nodeId, store: guarded, clock: life.clock, log })
    startAgent({
      nodeId,
      node: life.guard(here.port),
      store: guarded,
      mirror,
      checks: life.guard(checks),
      connections: async () => await Promise.resolve(new Map()),
      clock: life.clock,
      log,
    })
  }

  begin('services')
  begin('scheduler')
  begin('jobs')
  if (hasRotation) begin('rotation')
  for (const name of nodeIds) begin(name)
  const userMirror = openMirror({ store, clock, log, prefixes: SERVICE_PREFIXES })
  // A user who waits for time to pass would wait for ever: it passes only when the history says so.
  const patient = { ...clock, sleep: async () => await Promise.resolve() }
  const services = openServices({ store, mirror: userMirror, clock: patient, random, waits: (id) => loopNow?.waits(id) ?? [] })
  const all = <T>(kind: 'service' | 'task' | 'node' | 'run') =>
    [...store.peek()].flatMap(([key, value]) => (key.startsWith(prefixOf(kind)) ? [value as T] : []))
  return {
    clock,
    random,
    store,
    services,
    machines,
    broken,
    errorRatios,
    trace: lines,
    loop: () => loopNow,
    disturb: (to = NO_FAULTS) => {
      rates = to
      if (to === NO_FAULTS) cutUntil.clear()
    },
    kill: (part) => lives.get(part)?.end(),
    cut: (node, ms) => void cutUntil.set(node, clock.nowMs() + ms),
    pass: async (ms) => await clock.advance(ms),
    record: (name) => all<ServiceRecord>('service').find((service) => service.name === name),
    revision: (service) => store.peek().get(keyOf('revision', service.id, service.revision)) as RevisionRecord | undefined,
    tasksOf: (service) => all<TaskRecord>('task').filter((task) => task.serviceId === service.id),
    runsOf: (service) => all<RunRecord>('run').filter((run) => run.serviceId === service.id),
    nodeRecords: () => all<NodeRecord>('node'),
  }
}

/** One line for each thing that was written: what a failure is understood by. */
function note(
  trace: { push(line: string): void },
  atMs: number,
  changes: readonly { readonly key: string; readonly value: unknown }[],
): void {
  for (const { key, value } of changes) {
    if (key.startsWith('turn/') || key.startsWith('alive/') || key.startsWith('revision/')) continue
    if (value === null) trace.push(`${atMs} ${key} gone`)
    else if (key.startsWith('task/')) {
      const { slot, nodeId, revision, desiredState, status, reason } = value as TaskRecord
      const ready = status.isReady ? ' ready' : ''
      trace.push(
        `${atMs} ${key.slice(0, 13)} slot ${slot} r${revision} on ${nodeId} wanted ${desiredState}: ${status.state}${ready} ${status.error} (${reason})`,
      )
    } else if (key.startsWith('service/')) {
      const { name, revision, replicas, state, rollout } = value as ServiceRecord
      trace.push(
        `${atMs} ${name} ${state} r${revision} x${replicas} ${rollout?.state} step ${rollout?.step} ${rollout?.weightPercent} % ${rollout?.reason}`,
      )
    } else trace.push(`${atMs} ${key} ${JSON.stringify(value).slice(0, 100)}`)
  }
}
