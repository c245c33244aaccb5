import type { Clock, ContainerId } from '#base'
import { cgroupPathOf, type ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Networks } from '#engine/network'
import type { Host } from '#host'

import type { FailedPulls } from './failed-pulls.ts'
import { openMemoryHistory, type MemoryHistory } from './memory-history.ts'
import { openSlowEnds, type SlowEnds } from './slow-ends.ts'
import { openUnknownNames, type UnknownNames } from './unknown-names.ts'

/** What nobody can see later: noted as it happens, each kind of it bounded, in memory alone. */
export interface Witness extends Disposable {
  readonly memory: MemoryHistory
  readonly ends: SlowEnds
  readonly names: UnknownNames
  readonly pulls: FailedPulls
}

export interface WitnessNeeds {
  readonly root: string
  readonly runDir: string
  readonly instance: string
  readonly containers: Pick<ContainersService, 'list' | 'get'>
  readonly networks: Pick<Networks, 'onUnanswered' | 'endpointsOf'>
  readonly events: Pick<Events, 'listen'>
  readonly host: Pick<Host, 'cgroups'>
  readonly clock: Clock
  readonly pulls: FailedPulls
}

export function openWitness({ root, runDir, instance, containers, networks, events, host, clock, pulls }: WitnessNeeds): Witness {
  const names = openUnknownNames(clock)
  const idsOf = (id: ContainerId) => networks.endpointsOf(id).map(({ networkId }) => networkId)
  networks.onUnanswered((id, name, kind) => names.note(id, name, kind, idsOf(id)))
  const memory = openMemoryHistory({
    events,
    clock,
    limited: () =>
      containers
        .list()
        .filter(({ status, spec }) => status.pid !== 0 && spec.resources.memoryBytes !== null)
        .map(({ id, status }) => ({ id, startedAtMs: Date.parse(status.startedAt) })),
    sample: (id, isShort) => {
      try {
        return host.cgroups.sample(cgroupPathOf({ root, runDir, instance }, id, containers.get(id).spec.resources.cgroupParent), {
          isShort,
        })
      } catch {
        // Removed while it was looked at.
        return undefined
      }
    },
  })
  const ends = openSlowEnds(events)
  return {
    ...{ memory, ends, names, pulls },
    [Symbol.dispose]: () => {
      memory[Symbol.dispose]()
      ends[Symbol.dispose]()
    },
  }
}
