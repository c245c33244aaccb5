import {
  describeEnd,
  isReady,
  portKey,
  viewStack,
  type Round,
  type ServiceView,
  type StackRecord,
  type StackView,
  type TaskView,
  type Wait,
} from '#cluster/reconcile'
import type { PublishedPort, ServiceStatus, StackStatus, TaskStatus } from './port.ts'

/** What people see of a stack, from the last look at the node. Pure. A look from before the last change cannot call it ready. */
export function stackStatus(record: StackRecord, round: Round | undefined): StackStatus {
  const { spec, revision } = record
  const seen = round?.snapshot.stacks.find((other) => other.spec.name === spec.name)
  const isFresh = seen?.revision === revision && seen.state === record.state
  const waits = isFresh && round !== undefined ? round.plan.waits.filter((wait) => wait.stack === spec.name) : []
  const hasSteps = !isFresh || round?.plan.steps.some((step) => step.stack === spec.name) === true
  const view: StackView | undefined = round === undefined ? undefined : viewStack(record, round.snapshot)
  const services = spec.services.map((service) => {
    const serviceView = view?.services.find((candidate) => candidate.spec.name === service.name) ?? {
      spec: service,
      tasks: [],
      pendingNumbers: [],
    }
    return serviceStatus(record, serviceView, waits, hasSteps, round)
  })
  const ofStack = waits.filter((wait) => wait.service === null)
  return {
    name: spec.name,
    revision,
    state: record.state === 'removing' ? 'removing' : stateOf(services, ofStack, hasSteps || !isFresh),
    directory: spec.workingDir,
    services,
    volumes: spec.volumes.map((volume) => volume.name),
    whyNotYet: ofStack[0]?.reason ?? null,
  }
}

function stateOf(services: readonly ServiceStatus[], waits: readonly Wait[], hasSteps: boolean): StackStatus['state'] {
  if (services.some((service) => service.state === 'failed') || waits.some((wait) => wait.isHopeless)) return 'failed'
  const isThere = services.every((service) => service.state === 'ready' || service.state === 'done')
  return isThere && !hasSteps && waits.length === 0 ? 'ready' : 'converging'
}

function serviceStatus(
  record: StackRecord,
  view: ServiceView,
  stackWaits: readonly Wait[],
  hasSteps: boolean,
  round: Round | undefined,
): ServiceStatus {
  const { spec } = view
  const waits = stackWaits.filter((wait) => wait.service === spec.name)
  const ready = view.tasks.filter((task) => isReady(task) && task.isCurrent).length
  const done = view.tasks.filter(({ task, isCurrent }) => isCurrent && task.state === 'exited' && task.exitCode === 0).length
  const mode = isJob(record, view) ? 'job' : 'replicated'
  const isDone = spec.restart.condition !== 'always' && done > 0 && done + ready >= spec.replicas
  const hopeless = waits.find((wait) => wait.isHopeless)
  const why = hopeless ?? waits.find((wait) => wait.reason !== '') ?? null
  const ports = publishedPorts(record, view)
  const isThere = waits.length === 0 && !hasSteps
  const state =
    hopeless !== undefined ? 'failed' : isThere && isDone ? 'done' : isThere && ready >= spec.replicas ? 'ready' : progress(view)
  return {
    name: spec.name,
    image: spec.task.image,
    mode,
    state,
    desiredReplicas: spec.replicas,
    readyReplicas: ready,
    whyNotYet: state === 'ready' || state === 'done' ? null : (why?.reason ?? 'it has just begun'),
    ports,
    urls: ports.filter((port) => port.protocol === 'tcp').map((port) => `http://${hostName(port.hostIp)}:${port.hostPort}`),
    tasks: view.tasks.map((task) => taskStatus(record, view, task, round)),
  }
}

function progress(view: ServiceView): 'waiting' | 'starting' {
  return view.tasks.length === 0 && view.pendingNumbers.length === 0 ? 'waiting' : 'starting'
}

function isJob(record: StackRecord, { spec }: ServiceView): boolean {
  if (spec.restart.condition === 'never') return true
  return record.spec.services.some((other) =>
    other.dependsOn.some((dependency) => dependency.service === spec.name && dependency.condition === 'completed_successfully'),
  )
}

function publishedPorts(record: StackRecord, { spec }: ServiceView): readonly PublishedPort[] {
  return spec.ports.flatMap((port) => {
    const hostPort = port.published ?? record.chosenPorts[portKey(spec.name, port)]
    if (hostPort === undefined || port.protocol === 'sctp') return []
    return [
      {
        hostIp: port.hostIp === '' ? '0.0.0.0' : port.hostIp,
        hostPort,
        containerPort: port.containerPort,
        protocol: port.protocol,
      },
    ]
  })
}

function hostName(hostIp: string): string {
  if (hostIp === '0.0.0.0' || hostIp === '127.0.0.1') return 'localhost'
  return hostIp.includes(':') ? `[${hostIp}]` : hostIp
}

function taskStatus(
  record: StackRecord,
  { spec }: ServiceView,
  { task, number }: TaskView,
  round: Round | undefined,
): TaskStatus {
  const crash = round?.snapshot.memory.crashes.get(task.name)
  const failed = round?.snapshot.memory.stepFailures.get(`task/${task.name}`)
  const isExpectedEnd = task.state === 'exited' && task.exitCode === 0 && spec.restart.condition !== 'always'
  const ended = task.state === 'exited' && !isExpectedEnd && record.state === 'active' ? describeEnd(task) : null
  const unhealthy =
    task.health === 'unhealthy' ? `is unhealthy${task.healthOutput === '' ? '' : `: ${task.healthOutput.trim()}`}` : null
  return {
    name: `${spec.name}.${number}`,
    slot: number,
    state: task.state,
    health: task.health,
    containerId: task.id,
    containerName: task.name,
    restarts: crash?.failures ?? 0,
    message: failed?.reason ?? ended ?? unhealthy,
  }
}
