import { createHash } from 'node:crypto'

import type { ServiceSpec, StackSpec } from './model.ts'

/**
 * Pure: the model with, in the template of each service that is to begin anew with others, what those are made from. `restarts`: by service,
 * those others. `imageIds`: by service, what its image is today. Another template makes new tasks; so it goes on along the chain.
 */
export function tieRestarts(
  spec: StackSpec,
  restarts: Readonly<Record<string, readonly string[]>>,
  imageIds: Readonly<Record<string, string>>,
): StackSpec {
  const tied = new Map<string, ServiceSpec>()
  const tie = (service: ServiceSpec, path: readonly string[]): ServiceSpec => {
    const known = tied.get(service.name)
    if (known !== undefined) return known
    const others = (restarts[service.name] ?? []).filter((name) => !path.includes(name))
    const hashes = others.flatMap((name) => {
      const other = spec.services.find((candidate) => candidate.name === name)
      return other === undefined ? [] : [[name, templateDigest(tie(other, [...path, service.name]), imageIds[name])] as const]
    })
    const made =
      hashes.length === 0 ? service : { ...service, task: { ...service.task, restartsWith: Object.fromEntries(hashes) } }
    tied.set(service.name, made)
    return made
  }
  return { ...spec, services: spec.services.map((service) => tie(service, [])) }
}

/** Of what the service's tasks are made from: another text when they have to be made anew. */
export function templateDigest({ task, secrets, configs }: ServiceSpec, imageId?: string): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted([task, secrets, configs, imageId ?? null])))
    .digest('hex')
}

/** With the keys in order: equal templates have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]))
}
