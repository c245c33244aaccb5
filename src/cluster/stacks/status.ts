import { keyOf, type StackRecord, type TaskRecord } from '#cluster/model'
import {
  describeEnd,
  isLive,
  isRunning,
  isStaying,
  seatKey,
  sightOf,
  taskLabel,
  youngestFirst,
  type ClusterState,
  type Mirror,
  type ServiceLoop,
  type ServiceState,
} from '#cluster/services'
import type { ServiceSpec } from '#cluster/spec'

import type { StackTrouble } from './loop.ts'
import type { PublishedPort, ServiceStatus, StackStatus, TaskStatus } from './port.ts'
import { portKey, serviceName } from './wishes.ts'

/** What a status is made from beside the records. */
export interface StatusView {
  readonly cluster: ClusterState
  readonly mirror: Pick<Mirror, 'revisionOf'>
  readonly loop: Pick<ServiceLoop, 'waits' | 'lastPlan'>
  /** Of the picture that the router was told last. */
  readonly toldRevision: number
  /** By id of the route. */
  readonly routeFailures: ReadonlyMap<string, string>
  readonly trouble: StackTrouble | undefined
  /** What the node has; null: nobody has looked yet. */
  readonly parts: { readonly networks: ReadonlySet<string>; readonly volumes: ReadonlySet<string> } | null
}

/** What people see of a stack. Pure. Nothing is called ready before everybody has planned with what is wanted now. */
export function stackStatus(record: StackRecord, view: StatusView): StackStatus {
  const { spec, revision } = record
  const own = [...view.cluster.services.values()].filter(({ service }) => service.stack === spec.name)
  const byName = new Map(own.filter(({ service }) => service.state !== 'removing').map((state) => [state.service.name, state]))
  const services = spec.services.map((service) => {
    const state = byName.get(serviceName(spec.name, service.name))
    return state === undefined ? absentService(record, service) : serviceStatus(record, service, state, view)
  })
  const leaving = own
    .filter(({ service }) => service.state === 'removing')
    .map(({ service }) => `service ${service.name} is being removed`)
  const { trouble } = view
  const whyNotYet = trouble?.reason ?? routeTrouble(record, view) ?? leaving[0] ?? null
  return {
    name: spec.name,
    revision,
    state:
      record.state === 'removing' ? 'removing' : stateOf(services, view, whyNotYet !== null, routeTrouble(record, view) !== null),
    directory: spec.workingDir,
    services,
    volumes: spec.volumes.map((volume) => volume.name),
    whyNotYet,
  }

  function stateOf(
    of: readonly ServiceStatus[],
    { trouble: found }: StatusView,
    isHeldUp: boolean,
    isUnrouted: boolean,
  ): StackStatus['state'] {
    if (of.some((service) => service.state === 'failed') || found?.isHopeless === true || isUnrouted) return 'failed'
    const isThere = of.every((service) => service.state === 'ready' || service.state === 'done')
    return isThere && !isHeldUp && isRouted(own, record, view) ? 'ready' : 'converging'
  }
}

/** The router knows of the stack and its tasks as they are now. */
function isRouted(own: readonly ServiceState[], { spec }: StackRecord, { mirror, toldRevision }: StatusView): boolean {
  const routed = own.filter(
    ({ service, revisions }) =>
      (spec.routes ?? []).length > 0 ||
      revisions.get(service.revision)?.spec.ports.some(({ mode }) => mode === 'ingress') === true,
  )
  const keys = routed.flatMap(({ service, tasks }) => [
    keyOf('service', service.id),
    ...tasks.filter(isLive).map(({ id }) => keyOf('task', id)),
  ])
  return [keyOf('stack', spec.name), ...keys].every((key) => mirror.revisionOf(key) <= toldRevision)
}

/** Of a route that is no service's. */
function routeTrouble({ spec }: StackRecord, { routeFailures }: StatusView): string | null {
  const names = new Set(spec.services.map(({ name }) => name))
  for (const [id, reason] of routeFailures) {
    const [stack, service = ''] = id.split('/')
    if (stack === spec.name && !names.has(service)) return reason
  }
  return null
}

/** It comes when its predecessor is gone. */
function absentService(record: StackRecord, spec: ServiceSpec): ServiceStatus {
  const isJob = spec.job !== null || spec.restart.condition === 'never'
  const ports = publishedPorts(record, spec)
  return {
    name: spec.name,
    image: spec.task.image,
    mode: isJob ? 'job' : spec.mode === 'global' ? 'global' : 'replicated',
    state: 'waiting',
    desiredReplicas: spec.replicas,
    readyReplicas: 0,
    whyNotYet: 'waits until its predecessor is gone',
    ports,
    urls: urlsOf(ports),
    tasks: [],
  }
}

interface Obstacle {
  readonly reason: string
  readonly isHopeless: boolean
  readonly isHeld?: boolean
}

function serviceStatus(record: StackRecord, wanted: ServiceSpec, state: ServiceState, view: StatusView): ServiceStatus {
  const { service, tasks } = state
  const key = keyOf('service', service.id)
  const sight = sightOf(state, view.cluster, view.mirror.revisionOf(key), [])
  const spec = sight?.revision.spec ?? wanted
  const plan = view.loop.lastPlan(service.id)
  const isFresh = plan !== undefined && plan.revision === view.mirror.revisionOf(key)
  const obstacles = isFresh ? obstaclesOf(spec, state, view) : []
  const hopeless = obstacles.find((obstacle) => obstacle.isHopeless)
  const isThere = isFresh && plan.isQuiet && obstacles.length === 0
  const desired = sight?.desiredTasks ?? service.replicas
  const ready = sight?.readyTasks ?? 0
  const isDone = isThere && isDoneService(spec, state, desired, ready)
  const isUp = isThere && (spec.job === null ? ready >= desired : spec.job.schedule !== null)
  const progress = tasks.some(isLive) ? 'starting' : 'waiting'
  const stateNow = hopeless !== undefined ? 'failed' : isDone ? 'done' : isUp ? 'ready' : progress
  const why = hopeless ?? obstacles.find(({ reason }) => reason !== '')
  const ports = publishedPorts(record, spec)
  return {
    name: spec.name,
    image: spec.task.image,
    mode: isJobService(spec, record) ? 'job' : spec.mode === 'global' ? 'global' : 'replicated',
    state: stateNow,
    desiredReplicas: desired,
    readyReplicas: ready,
    whyNotYet: stateNow === 'ready' || stateNow === 'done' ? null : (why?.reason ?? 'it has just begun'),
    ...(obstacles.some(({ isHeld }) => isHeld === true) ? { isHeld: true } : {}),
    ports,
    urls: urlsOf(ports),
    tasks: shownTasks(state).map((task) => taskStatus(spec, state, task)),
  }
}

/** What stands between the service and being there, the plan's own reasons last. */
function obstaclesOf(spec: ServiceSpec, state: ServiceState, view: StatusView): readonly Obstacle[] {
  const { service, tasks } = state
  const missing = missingPart(state, view)
  const prefix = `${service.stack ?? ''}/${spec.name}/`
  const unrouted = [...view.routeFailures].find(([id]) => id.startsWith(prefix))?.[1]
  const leaving = tasks.find((task) => isLive(task) && !isStaying(task))
  return [
    ...(missing === null ? [] : [{ reason: missing, isHopeless: true }]),
    ...(unrouted === undefined ? [] : [{ reason: unrouted, isHopeless: true }]),
    ...(spec.job === null ? [] : jobObstacles(state)),
    ...backObstacles(state),
    ...view.loop.waits(service.id),
    ...(leaving === undefined ? [] : [{ reason: `${taskLabel(state, leaving)} is on its way out`, isHopeless: false }]),
  ]
}

/** What the file says was tried, and is not what runs. */
function backObstacles({ service: { rollout } }: ServiceState): readonly Obstacle[] {
  if (rollout?.cause !== 'failure') return []
  const isBack = rollout.state === 'rolled-back'
  return [{ reason: `it ${isBack ? 'went' : 'goes'} back to revision ${rollout.to}: ${rollout.reason}`, isHopeless: isBack }]
}

/** A run that failed is what a job without a schedule has come to; one with a schedule has its next time. */
function jobObstacles({ service, runs, revisions }: ServiceState): readonly Obstacle[] {
  if (revisions.get(service.revision)?.spec.job?.schedule !== null) return []
  const run = runs.find(({ cause, revision }) => cause === 'revision' && revision === service.revision)
  if (run === undefined) return [{ reason: 'its run has not begun yet', isHopeless: false }]
  if (run.state === 'running') return [{ reason: 'its run is under way', isHopeless: false }]
  return run.state === 'succeeded' ? [] : [{ reason: run.reason, isHopeless: true }]
}

function missingPart({ service, revisions }: ServiceState, { parts }: StatusView): string | null {
  const wanted = revisions.get(service.revision)?.parts
  if (parts === null || wanted === undefined) return null
  const network = wanted.networks.find(({ isExternal, name }) => isExternal && !parts.networks.has(name))
  const volume = wanted.volumes.find(({ isExternal, name }) => isExternal && !parts.volumes.has(name))
  const [kind, part] = network === undefined ? ['volume', volume] : ['network', network]
  return part === undefined ? null : `the external ${kind} ${part.name} does not exist: create it, or take "external" away`
}

function isDoneService(
  spec: ServiceSpec,
  { service, tasks, runs, revisions }: ServiceState,
  desired: number,
  ready: number,
): boolean {
  if (spec.job !== null)
    return (
      spec.job.schedule === null && runs.some(({ revision, state }) => revision === service.revision && state === 'succeeded')
    )
  const hash = revisions.get(service.revision)?.templateHash
  const done = tasks.filter(
    (task) => isStaying(task) && task.status.state === 'complete' && revisions.get(task.revision)?.templateHash === hash,
  ).length
  return spec.restart.condition !== 'always' && done > 0 && done + ready >= desired
}

/** It is meant to end: by its kind, by its policy, or because others wait for that. */
function isJobService({ name, job, restart }: ServiceSpec, { spec }: StackRecord): boolean {
  if (job !== null || restart.condition === 'never') return true
  return spec.services.some(({ dependsOn }) =>
    dependsOn.some((dependency) => dependency.service === name && dependency.condition === 'completed_successfully'),
  )
}

function publishedPorts({ chosenPorts }: StackRecord, { name, ports }: ServiceSpec): readonly PublishedPort[] {
  return ports.flatMap((port) => {
    const hostPort = port.published ?? chosenPorts[portKey(name, port)]
    if (hostPort === undefined || port.protocol === 'sctp') return []
    const { containerPort, protocol } = port
    return [{ hostIp: port.hostIp === '' ? '0.0.0.0' : port.hostIp, hostPort, containerPort, protocol }]
  })
}

function urlsOf(ports: readonly PublishedPort[]): readonly string[] {
  return ports.filter((port) => port.protocol === 'tcp').map((port) => `http://${hostName(port.hostIp)}:${port.hostPort}`)
}

function hostName(hostIp: string): string {
  if (hostIp === '0.0.0.0' || hostIp === '127.0.0.1') return 'localhost'
  return hostIp.includes(':') ? `[${hostIp}]` : hostIp
}

/** Those that live, and where none does the youngest end. */
function shownTasks({ tasks }: ServiceState): readonly TaskRecord[] {
  const shown = [...Map.groupBy(tasks, (task) => `${task.runId ?? ''} ${seatKey(task)}`).values()].flatMap((ofSeat) => {
    const live = ofSeat.filter(isLive)
    return live.length > 0 ? live : ofSeat.filter(isStaying).toSorted(youngestFirst).slice(0, 1)
  })
  return shown.toSorted((a, b) => (a.slot ?? 0) - (b.slot ?? 0) || a.createdAtMs - b.createdAtMs)
}

function taskStatus(spec: ServiceSpec, state: ServiceState, task: TaskRecord): TaskStatus {
  const { status } = task
  const slot = task.slot ?? 1
  const failures = task.failures ?? 0
  const isExpectedEnd = status.state === 'complete' && spec.restart.condition !== 'always'
  const before = failures > 0 && !isRunning(task) ? (task.reason ?? null) : null
  const message = isLive(task) ? (status.error === '' ? before : status.error) : isExpectedEnd ? null : describeEnd(task)
  return {
    name: `${spec.name}.${slot}`,
    slot,
    state: status.state,
    health: status.health ?? 'none',
    containerId: status.containerId,
    containerName: spec.containerName ?? `${state.service.stack ?? ''}-${spec.name}-${slot}`,
    restarts: failures,
    message,
  }
}
