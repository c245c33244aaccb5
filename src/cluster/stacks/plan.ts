import type { ServiceRecord, StackRecord } from '#cluster/model'

/** One thing to do for a stack. Each can be done twice. */
export type StackStep = { readonly stack: StackRecord } & (
  | { readonly type: 'create-service'; readonly service: string }
  | { readonly type: 'remove-service'; readonly record: ServiceRecord }
  | { readonly type: 'remove-network' | 'remove-volume'; readonly name: string }
  /** What is gone needs no longer be known. */
  | { readonly type: 'forget-networks'; readonly names: readonly string[] }
  /** Nothing of it is left. */
  | { readonly type: 'forget-stack' }
)

export interface StackSnapshot {
  readonly stacks: readonly StackRecord[]
  readonly services: readonly ServiceRecord[]
  /** Names of what the node has. */
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  /** Networks of tasks that have not ended. */
  readonly usedNetworks: ReadonlySet<string>
}

/**
 * What is left to do when the services are written down: those that wait for their predecessors, the networks that nobody names any more, and the end of a stack: its
 * services, then its networks, then its volumes if that was asked for. Pure.
 */
export function planStacks(snapshot: StackSnapshot): readonly StackStep[] {
  return snapshot.stacks.flatMap((stack) =>
    stack.state === 'active' ? planActive(stack, snapshot) : planRemoval(stack, snapshot),
  )
}

function planActive(stack: StackRecord, snapshot: StackSnapshot): readonly StackStep[] {
  const own = snapshot.services.filter((service) => service.stack === stack.spec.name)
  const missing = Object.keys(stack.awaited).filter(
    (name) => !own.some((service) => service.name === `${stack.spec.name}_${name}`),
  )
  const steps: StackStep[] = missing.map((service) => ({ type: 'create-service', stack, service }))
  const named = new Set(
    snapshot.stacks.filter(({ state }) => state === 'active').flatMap(({ spec }) => spec.networks.map(({ name }) => name)),
  )
  const over = stack.former.networks.filter((name) => !named.has(name) && !snapshot.usedNetworks.has(name))
  const there = over.filter((name) => snapshot.networks.includes(name))
  for (const name of there) steps.push({ type: 'remove-network', stack, name })
  const forgotten = stack.former.networks.filter((name) => named.has(name) || (over.includes(name) && !there.includes(name)))
  if (forgotten.length > 0) steps.push({ type: 'forget-networks', stack, names: forgotten })
  return steps
}

function planRemoval(stack: StackRecord, { services, networks, volumes }: StackSnapshot): readonly StackStep[] {
  const own = services.filter((service) => service.stack === stack.spec.name)
  const steps: readonly StackStep[] = own
    .filter(({ state }) => state !== 'removing')
    .map((record) => ({ type: 'remove-service', stack, record }))
  if (own.length > 0) return steps
  const made = (parts: readonly { readonly name: string; readonly isExternal: boolean }[], former: readonly string[]) => [
    ...new Set([...parts.filter(({ isExternal }) => !isExternal).map(({ name }) => name), ...former]),
  ]
  const oldNetworks = made(stack.spec.networks, stack.former.networks).filter((name) => networks.includes(name))
  const oldVolumes = stack.removeVolumes
    ? made(stack.spec.volumes, stack.former.volumes).filter((name) => volumes.includes(name))
    : []
  if (oldNetworks.length + oldVolumes.length === 0) return [{ type: 'forget-stack', stack }]
  return [
    ...oldNetworks.map((name) => ({ type: 'remove-network' as const, stack, name })),
    ...oldVolumes.map((name) => ({ type: 'remove-volume' as const, stack, name })),
  ]
}
