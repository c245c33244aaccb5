import { isEnded, type RevisionRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import type { RouteBackend, RouteSpec } from '#cluster/reconcile'
import { PLAIN_RULE } from '#cluster/spec'

export interface RoutedService {
  readonly service: ServiceRecord
  readonly revisions: ReadonlyMap<number, RevisionRecord>
  readonly tasks: readonly TaskRecord[]
}

const WHOLE = 100

/** A route for each port that the router publishes for a service, also while nothing is behind it. Only tasks that run and are ready are in it. Pure. */
export function planServiceRoutes(services: readonly RoutedService[]): readonly RouteSpec[] {
  return services.flatMap((routed) => {
    const { service, revisions } = routed
    const ports = revisions.get(service.revision)?.spec.ports ?? []
    if (service.state === 'removing') return []
    return ports.flatMap((port): readonly RouteSpec[] => {
      if (port.mode !== 'ingress' || port.published === null || port.protocol !== 'tcp') return []
      const backends = routed.tasks.flatMap((task) => backendOf(routed, task, port.containerPort))
      const groups = groupsOf(routed)
      const id = `${service.name}/${port.published}`
      return [
        { id, hostIp: port.hostIp, hostPort: port.published, mode: port.appProtocol, backends, ...groups, ...ruleOf(routed) },
      ]
    })
  })
}

/** While a rollout says so, each revision gets its part of the requests, whatever the number of its tasks. */
function groupsOf({ service }: RoutedService): Pick<RouteSpec, 'groups'> {
  const { rollout } = service
  if (rollout === null || rollout.endedAtMs !== null || rollout.weightPercent === null || rollout.from === null) return {}
  const { from, to, weightPercent } = rollout
  return {
    groups: [
      { name: groupOf(from), share: WHOLE - weightPercent },
      { name: groupOf(to), share: weightPercent },
    ],
  }
}

/** Parts are kept by round robin only. Where rollouts have parts it is that at all times: changing over would be a reload. */
function ruleOf({ service, revisions }: RoutedService): Pick<RouteSpec, 'rule'> {
  const strategy = revisions.get(service.revision)?.spec.update.strategy ?? 'rolling'
  return strategy === 'rolling' ? {} : { rule: { ...PLAIN_RULE, balance: 'round-robin' } }
}

export function groupOf(revision: number): string {
  return `r${revision}`
}

function backendOf({ service, revisions }: RoutedService, task: TaskRecord, port: number): readonly RouteBackend[] {
  const { status } = task
  const address = Object.values(status.addresses).find((known) => known !== '')
  if (address === undefined || isEnded(status.state) || status.state !== 'running') return []
  const isLeaving = task.desiredState === 'shutdown' || task.desiredState === 'remove'
  if (!status.isReady && !isLeaving) return []
  const { rollout } = service
  // A task of a third revision, of a rollout that was given up, counts with those that are to go.
  const hash = revisions.get(task.revision)?.templateHash
  const isNew = rollout !== null && hash === revisions.get(rollout.to)?.templateHash
  const group = rollout === null ? task.revision : isNew ? rollout.to : (rollout.from ?? rollout.to)
  const state = isLeaving || !status.isReady ? 'draining' : 'ready'
  return [{ id: task.id, address, port, state, group: groupOf(group) }]
}
