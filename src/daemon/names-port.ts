import type { ContainersService } from '#engine/containers'
import type { Networks } from '#engine/network'
import type { NameFinding, NameQuestion } from '#traffic/discovery'

import { containerOwner, lookAtCluster, recordsOf } from './cluster-sight.ts'
import type { Cluster } from './cluster.ts'
import { daemonError } from './errors.ts'

/** What names mean inside networks, for those who explain it. */
export interface NamesPort {
  /** `asker`: a container by name or id, or a service: `shop/web`, `web` of one that stands alone. Errors: `names.unknown_asker`. */
  explain(asker: string, name: string): NameFinding
}

export function namesPort(
  { discovery, mirror }: Pick<Cluster, 'discovery' | 'mirror'>,
  { containers, networks }: { readonly containers: Pick<ContainersService, 'list'>; readonly networks: Networks },
): NamesPort {
  const named = (names: readonly string[]) =>
    names.flatMap((name) => {
      const network = networks.find(name)
      return network === undefined || network.isPredefined ? [] : [{ id: network.id, name: network.name }]
    })
  const askerOf = (asker: string): Pick<NameQuestion, 'stack' | 'networks'> => {
    const all = containers.list()
    const container =
      all.find(({ id, name }) => name === asker || id === asker) ?? all.find(({ id }) => asker !== '' && id.startsWith(asker))
    if (container !== undefined)
      return {
        stack: containerOwner(container, mirror)?.application ?? null,
        networks: named(networks.endpointsOf(container.id).map(({ networkName }) => networkName)),
      }
    const service = lookAtCluster(recordsOf(mirror), []).services.find(
      ({ id, owner }) =>
        id === asker || (owner.application === null ? owner.service : `${owner.application}/${owner.service}`) === asker,
    )
    if (service !== undefined)
      return { stack: service.owner.application, networks: named(service.networks.map(({ name }) => name)) }
    throw daemonError('names.unknown_asker', `no container or service ${JSON.stringify(asker)} is known here`, {
      hint: 'Write a container, or a service as application/service, such as shop/web.',
    })
  }
  return {
    explain: (asker, name) => discovery.explain({ ...askerOf(asker), name: name.toLowerCase().replace(/\.$/, '') }),
  }
}
