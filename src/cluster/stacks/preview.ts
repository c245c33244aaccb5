import {
  changePlan,
  NOTHING_WANTED,
  planChanges,
  wantedParts,
  wantedService,
  type ChangePlan,
  type Sight,
  type Wanted,
} from '#cluster/changes'
import type { StackRecord } from '#cluster/model'

import { planApply, wantedRevision, type ApplyInput, type KnownService } from './plan-apply.ts'

/** What applying a version of a stack changes. Pure. Errors: as `planApply`. */
export function previewApply(input: ApplyInput, services: Sight['services']): ChangePlan {
  const { before, spec, known } = input
  // A port that is chosen only when it is applied is another one each time.
  const { wishes, change } = planApply({ ...input, chosenPorts: before?.record.chosenPorts ?? {} })
  const wanted = wishes.map((wish) => {
    const there = known.find(({ service }) => service.name === wish.name && service.state !== 'removing')?.service
    const replicas = wish.spec.mode === 'replicated' ? wish.spec.replicas : (there?.replicas ?? wish.spec.replicas)
    const state = there?.state === 'paused' ? 'paused' : 'active'
    return [wish.name, wantedService({ replicas, state }, wish)] as const
  })
  const after = { ...wantedParts(spec), service: Object.fromEntries(wanted) }
  return changePlan(planChanges(wantedNow(before?.record, known), after, { services, removesVolumes: false }), change.warnings)
}

/** What removing a stack takes away. Pure. */
export function previewRemoval(
  record: StackRecord,
  known: readonly KnownService[],
  services: Sight['services'],
  removesVolumes: boolean,
): ChangePlan {
  const now = wantedNow(record, known)
  // What is somebody else's stays; what an earlier version made goes as well.
  const network = { ...formerNetworks(record), ...own(now.network) }
  const volume = { ...formerVolumes(record), ...own(now.volume) }
  return changePlan(planChanges({ ...now, network, volume }, NOTHING_WANTED, { services, removesVolumes }))
}

function wantedNow(record: StackRecord | undefined, known: readonly KnownService[]): Wanted {
  const services = known.flatMap((one) => {
    const revision = wantedRevision(one)
    if (revision === undefined || one.service.state === 'removing') return []
    return [[one.service.name, wantedService(one.service, revision)] as const]
  })
  const parts = record === undefined ? NOTHING_WANTED : wantedParts(record.spec)
  return { ...parts, service: Object.fromEntries(services) }
}

function own<T extends { readonly isExternal: boolean }>(parts: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(parts).filter(([, { isExternal }]) => !isExternal))
}

function formerNetworks({ former }: StackRecord): Wanted['network'] {
  const plain = { isExternal: false, isInternal: false, subnets: [], labels: {} }
  return Object.fromEntries(former.networks.map((name) => [name, { ...plain, key: name, name }]))
}

function formerVolumes({ former }: StackRecord): Wanted['volume'] {
  const plain = { isExternal: false, driverOptions: {}, labels: {} }
  return Object.fromEntries(former.volumes.map((name) => [name, { ...plain, key: name, name }]))
}
