import type { RouteSpec as DeclaredRoute } from '#cluster/spec'

import type { RouteBackend, RouteSpec } from './route-port.ts'
import { portKey, type StackRecord } from './stack-record.ts'
import { isReady, type ServiceView, type StackView } from './stack-view.ts'
import { networkOf } from './task-spec.ts'

/** The routes of an active stack: those that it declares, and one for each port that the router publishes, also while nothing is behind it, so that nobody else takes it. */
export function planRoutes(stack: StackView): readonly RouteSpec[] {
  return [...publishedRoutes(stack), ...(stack.record.spec.routes ?? []).map((route) => declaredRoute(route, stack))]
}

function publishedRoutes(stack: StackView): readonly RouteSpec[] {
  return stack.services.flatMap((service) =>
    service.spec.ports.flatMap((port) => {
      if (port.mode !== 'ingress') return []
      const hostPort = port.published ?? stack.record.chosenPorts[portKey(service.spec.name, port)]
      if (hostPort === undefined) return []
      const id = routeId(stack.record, service.spec.name, hostPort)
      return [
        {
          id,
          hostIp: port.hostIp,
          hostPort,
          mode: port.appProtocol,
          backends: backendsOf(stack.record, service, port.containerPort),
        },
      ]
    }),
  )
}

/** Each target is a group, so that shares are between targets and not between tasks. */
function declaredRoute({ name, hostIp, port, mode, targets, rule }: DeclaredRoute, { record, services }: StackView): RouteSpec {
  const backends = targets.flatMap((target, index): readonly RouteBackend[] => {
    if (target.type === 'address')
      return [{ id: target.name, address: target.host, port: target.port, state: 'ready', group: target.name }]
    const service = services.find(({ spec }) => spec.name === target.service)
    const tasks = service === undefined ? [] : backendsOf(record, service, target.containerPort)
    const isSecond = targets.slice(0, index).some((other) => other.type === 'service' && other.service === target.service)
    return tasks.map((backend) => ({
      ...backend,
      id: isSecond ? `${backend.id}.${target.containerPort}` : backend.id,
      group: target.name,
    }))
  })
  const groups = targets.map((target) => ({ name: target.name, share: target.share }))
  const owner = targets.find((target) => target.type === 'service')?.service ?? name
  // A number is what a published port is called.
  const id = `${record.spec.name}/${owner}/${/^\d+$/.test(name) ? `route-${name}` : name}`
  return { id, hostIp, hostPort: port, mode, backends, groups, rule }
}

function routeId(record: StackRecord, service: string, hostPort: number): string {
  return `${record.spec.name}/${service}/${hostPort}`
}

function backendsOf(record: StackRecord, service: ServiceView, port: number): readonly RouteBackend[] {
  const networks = service.spec.task.networks.map((attachment) => networkOf(record.spec, attachment.network).name)
  return service.tasks.flatMap((view): readonly RouteBackend[] => {
    const { task, isDraining } = view
    // A task of an older spec may be in other networks than the spec says now.
    const address = [...networks, ...Object.keys(task.addresses)]
      .map((name) => task.addresses[name])
      .find((known) => known !== undefined && known !== '')
    if (address === undefined || task.state !== 'running') return []
    if (isDraining) return [{ id: task.name, address, port, state: 'draining' }]
    return isReady(view) ? [{ id: task.name, address, port, state: 'ready' }] : []
  })
}
