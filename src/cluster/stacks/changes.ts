import { canonical, type StackRecord } from '#cluster/model'
import type { ServiceWish } from '#cluster/services'
import type { ServiceSpec } from '#cluster/spec'

/** A service as it is wanted so far. */
export interface KnownWish {
  readonly spec: ServiceSpec
  readonly replicas: number
  readonly imageId: string | null
}

/** What a new version of a stack changes, one line each. `known`: its services by their names in the file. Empty: nothing that anybody would notice. */
export function describeChanges(
  before: StackRecord | undefined,
  after: StackRecord,
  known: ReadonlyMap<string, KnownWish>,
  wishes: readonly ServiceWish[],
): readonly string[] {
  const now = new Set(wishes.map(({ spec }) => spec.name))
  const lines = wishes.flatMap(({ spec, imageId }) => {
    const old = known.get(spec.name)
    if (old === undefined) return [`${spec.name}: new, ${replicas(spec.replicas)}`]
    const hasNewImage = imageId !== null && old.imageId !== imageId
    return changesOf(old, spec, hasNewImage).map((change) => `${spec.name}: ${change}`)
  })
  const gone = [...known.keys()].filter((name) => !now.has(name)).map((name) => `${name}: removed`)
  return [...lines, ...gone, ...partChanges(before, after)]
}

function changesOf(before: KnownWish, after: ServiceSpec, hasNewImage: boolean): readonly string[] {
  const { replicas: _were, task: oldTask, ...oldRest } = before.spec
  const { replicas: _are, task: newTask, ...newRest } = after
  const others = [...differing(oldTask, newTask), ...differing(oldRest, newRest)]
  const isScaled = after.mode === 'replicated' && before.replicas !== after.replicas
  return [
    ...(isScaled ? [`${replicas(after.replicas)} (were ${before.replicas})`] : []),
    ...(hasNewImage ? ['another image'] : []),
    ...(others.length === 0 ? [] : [`other ${others.join(', ')}`]),
  ]
}

function differing(before: object, after: object): readonly string[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  return [...new Set([...now.keys(), ...old.keys()])].filter((key) => canonical(old.get(key)) !== canonical(now.get(key)))
}

function partChanges(before: StackRecord | undefined, after: StackRecord): readonly string[] {
  if (before === undefined) return []
  const parts = ['networks', 'volumes', 'routes', 'policy'] as const
  return parts.filter((part) => canonical(before.spec[part]) !== canonical(after.spec[part])).map((part) => `other ${part}`)
}

function replicas(count: number): string {
  return count === 1 ? '1 replica' : `${count} replicas`
}
