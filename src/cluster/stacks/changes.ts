import { canonical } from '#cluster/reconcile'
import type { ServiceSpec } from '#cluster/spec'
import type { StackRecord } from '#cluster/reconcile'

/** What a new version of a stack changes, one line each. Empty: nothing. */
export function describeChanges(before: StackRecord | undefined, after: StackRecord): readonly string[] {
  const old = new Map(before?.spec.services.map((service) => [service.name, service]))
  const now = new Set(after.spec.services.map((service) => service.name))
  const lines = after.spec.services.flatMap((service) => {
    const known = old.get(service.name)
    if (known === undefined) return [`${service.name}: new, ${replicas(service.replicas)}`]
    const hasNewImage = before?.images[service.name] !== after.images[service.name] && after.images[service.name] !== undefined
    return changesOf(known, service, hasNewImage).map((change) => `${service.name}: ${change}`)
  })
  const gone = [...old.keys()].filter((name) => !now.has(name)).map((name) => `${name}: removed`)
  return [...lines, ...gone, ...partChanges(before, after)]
}

function changesOf(before: ServiceSpec, after: ServiceSpec, hasNewImage: boolean): readonly string[] {
  const { replicas: wereReplicas, task: oldTask, ...oldRest } = before
  const { replicas: areReplicas, task: newTask, ...newRest } = after
  const fields = Object.keys(newTask).filter(
    (key) => canonical(newTask[key as keyof typeof newTask]) !== canonical(oldTask[key as keyof typeof oldTask]),
  )
  const rest = Object.keys(newRest).filter(
    (key) => canonical(newRest[key as keyof typeof newRest]) !== canonical(oldRest[key as keyof typeof oldRest]),
  )
  return [
    ...(wereReplicas === areReplicas ? [] : [`${replicas(areReplicas)} (were ${wereReplicas})`]),
    ...(hasNewImage ? ['another image'] : []),
    ...(fields.length + rest.length === 0 ? [] : [`other ${[...fields, ...rest].join(', ')}`]),
  ]
}

function partChanges(before: StackRecord | undefined, after: StackRecord): readonly string[] {
  if (before === undefined) return []
  const parts = ['networks', 'volumes'] as const
  return parts.filter((part) => canonical(before.spec[part]) !== canonical(after.spec[part])).map((part) => `other ${part}`)
}

function replicas(count: number): string {
  return count === 1 ? '1 replica' : `${count} replicas`
}
