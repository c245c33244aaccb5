import { isEnded, type RevisionRecord, type ServiceRecord, type StackRecord, type TaskRecord } from '#cluster/model'
import { PLAIN_RULE, type RouteSpec as DeclaredRoute } from '#cluster/spec'

import type { RouteBackend, RouteGroup, RouteSpec } from './route-port.ts'

/** A service with all that its routes are made from. */
export interface RoutedService {
  readonly service: ServiceRecord
  readonly revisions: ReadonlyMap<number, RevisionRecord>
  readonly tasks: readonly TaskRecord[]
}

export interface PlannedRoutes {
  readonly routes: readonly RouteSpec[]
  /** Where the figures of a revision are counted apart. */
  readonly traffic: readonly RevisionTraffic[]
}

export interface RevisionTraffic {
  readonly serviceId: string
  readonly revision: number
  readonly routeId: string
  readonly group: string
}

const WHOLE = 100

/**
 * The routes that stacks declare, and one for each port that the router publishes for a service, also while nothing is behind it, so that nobody else takes it. Only
 * tasks that run and are ready are in one, and those that finish what they have. Pure.
 */
export function planRoutes(stacks: readonly StackRecord[], services: readonly RoutedService[]): PlannedRoutes {
  const wanted = services.filter(({ service }) => service.state !== 'removing')
  const routes = wanted.flatMap(publishedRoutes)
  const traffic: RevisionTraffic[] = wanted.flatMap((routed) =>
    publishedRoutes(routed).flatMap(({ id }) => trafficOf(routed, id, (revision) => revisionGroup(revision))),
  )
  for (const stack of stacks) {
    if (stack.state !== 'active') continue
    const own = wanted.filter(({ service }) => service.stack === stack.spec.name)
    for (const declared of stack.spec.routes ?? []) {
      const route = declaredRoute(declared, stack, own)
      routes.push(route)
      for (const target of declared.targets) {
        const routed = target.type === 'service' ? own.find((one) => nameIn(one) === target.service) : undefined
        if (routed !== undefined)
          traffic.push(...trafficOf(routed, route.id, (revision) => `${target.name}.${revisionGroup(revision)}`))
      }
    }
  }
  return { routes, traffic }
}

function publishedRoutes(routed: RoutedService): readonly RouteSpec[] {
  const { service, revisions } = routed
  const ports = revisions.get(service.revision)?.spec.ports ?? []
  return ports.flatMap((port): readonly RouteSpec[] => {
    if (port.mode !== 'ingress' || port.published === null || port.protocol !== 'tcp') return []
    const backends = routed.tasks.flatMap((task) => backendOf(routed, task, port.containerPort))
    const weights = weightsOf(service)
    const groups =
      weights === null ? {} : { groups: weights.map(({ revision, share }) => ({ name: revisionGroup(revision), share })) }
    const named = backends.map(({ revision, ...backend }) => ({ ...backend, group: revisionGroup(revision) }))
    const id = `${ownerOf(routed)}/${port.published}`
    const rule = ruleOf(routed)
    return [{ id, hostIp: port.hostIp, hostPort: port.published, mode: port.appProtocol, backends: named, ...groups, ...rule }]
  })
}

/** Each target is a group, so that shares are between targets and not between tasks. A rollout that spreads by weight makes two of one. */
function declaredRoute(declared: DeclaredRoute, { spec }: StackRecord, services: readonly RoutedService[]): RouteSpec {
  const { name, hostIp, port, mode, targets, rule } = declared
  const parts = targets.map(
    (target, index): { readonly groups: readonly RouteGroup[]; readonly backends: readonly RouteBackend[] } => {
      const whole = { name: target.name, share: target.share }
      if (target.type === 'address')
        return {
          groups: [whole],
          backends: [{ id: target.name, address: target.host, port: target.port, state: 'ready', group: target.name }],
        }
      const routed = services.find((one) => nameIn(one) === target.service)
      if (routed === undefined) return { groups: [whole], backends: [] }
      const weights = weightsOf(routed.service)
      const groupOf = (revision: number) => (weights === null ? target.name : `${target.name}.${revisionGroup(revision)}`)
      const isSecond = targets.slice(0, index).some((other) => other.type === 'service' && other.service === target.service)
      return {
        groups:
          weights === null
            ? [whole]
            : weights.map(({ revision, share }) => ({ name: groupOf(revision), share: (target.share * share) / WHOLE })),
        backends: routed.tasks
          .flatMap((task) => backendOf(routed, task, target.containerPort))
          .map(({ revision, ...backend }) => ({
            ...backend,
            id: isSecond ? `${backend.id}.${target.containerPort}` : backend.id,
            group: groupOf(revision),
          })),
      }
    },
  )
  const owner = targets.find((target) => target.type === 'service')?.service ?? name
  // A number is what a published port is called.
  const id = `${spec.name}/${owner}/${/^\d+$/.test(name) ? `route-${name}` : name}`
  const [groups, backends] = [parts.flatMap((part) => part.groups), parts.flatMap((part) => part.backends)]
  const hasParts = targets.some(
    (target) => target.type === 'service' && isSpread(services.find((one) => nameIn(one) === target.service)),
  )
  return { id, hostIp, hostPort: port, mode, backends, groups, rule: hasParts ? { ...rule, balance: 'round-robin' } : rule }
}

/** `shop/web`, or the name of one that stands alone. */
function ownerOf(routed: RoutedService): string {
  const { stack, name } = routed.service
  return stack === null ? name : `${stack}/${nameIn(routed) ?? name}`
}

function nameIn({ service, revisions }: RoutedService): string | undefined {
  return revisions.get(service.revision)?.spec.name
}

/** While a rollout says so, each revision gets its part of the requests, whatever the number of its tasks. */
function weightsOf({ rollout }: ServiceRecord): readonly { readonly revision: number; readonly share: number }[] | null {
  if (rollout === null || rollout.endedAtMs !== null || rollout.weightPercent === null || rollout.from === null) return null
  const { from, to, weightPercent } = rollout
  return [
    { revision: from, share: WHOLE - weightPercent },
    { revision: to, share: weightPercent },
  ]
}

/** Parts are kept by round robin only. Where rollouts have parts it is that at all times: changing over would be a reload. */
function ruleOf(routed: RoutedService): Pick<RouteSpec, 'rule'> {
  return isSpread(routed) ? { rule: { ...PLAIN_RULE, balance: 'round-robin' } } : {}
}

/** Its rollouts say which revision gets which part of the requests. */
function isSpread(routed: RoutedService | undefined): boolean {
  const strategy = routed?.revisions.get(routed.service.revision)?.spec.update.strategy ?? 'rolling'
  return strategy !== 'rolling'
}

function trafficOf(
  { service }: RoutedService,
  routeId: string,
  groupOf: (revision: number) => string,
): readonly RevisionTraffic[] {
  return (weightsOf(service) ?? []).map(({ revision }) => ({
    serviceId: service.id,
    revision,
    routeId,
    group: groupOf(revision),
  }))
}

function revisionGroup(revision: number): string {
  return `r${revision}`
}

function backendOf(
  { service, revisions }: RoutedService,
  task: TaskRecord,
  port: number,
): readonly (Omit<RouteBackend, 'group'> & { readonly revision: number })[] {
  const { status } = task
  const revision = revisions.get(task.revision)
  const address = addressOf(task, revision)
  if (address === undefined || isEnded(status.state) || status.state !== 'running') return []
  const isLeaving = task.desiredState === 'shutdown' || task.desiredState === 'remove'
  if (!status.isReady && !isLeaving) return []
  const { rollout } = service
  // A task of a third revision, of a rollout that was given up, counts with those that are to go.
  const isNew = rollout !== null && revision?.templateHash === revisions.get(rollout.to)?.templateHash
  const counted = rollout === null ? task.revision : isNew ? rollout.to : (rollout.from ?? rollout.to)
  const state = isLeaving || !status.isReady ? 'draining' : 'ready'
  return [{ id: task.id, address, port, state, revision: counted }]
}

/** In the first of its networks, as the file has them. */
function addressOf({ status }: TaskRecord, revision: RevisionRecord | undefined): string | undefined {
  const names = (revision?.spec.task.networks ?? []).map(
    ({ network }) => revision?.parts.networks.find(({ key }) => key === network)?.name ?? network,
  )
  return [...names, ...Object.keys(status.addresses)]
    .map((name) => status.addresses[name])
    .find((known) => known !== undefined && known !== '')
}
