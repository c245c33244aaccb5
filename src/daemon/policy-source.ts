import type { Mirror } from '#cluster/services'
import type { StackSpec } from '#cluster/spec'
import type { Stacks } from '#cluster/stacks'
import type { ContainerRecord, ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Networks } from '#engine/network'
import { PLAIN_RULES, type PolicedNetwork, type PolicedService, type PolicedStack, type PolicySource } from '#traffic/policy'

import { followSight, lookAtCluster, recordsOf, type ClusterSight, type SeenService } from './cluster-sight.ts'

export interface PolicySourceNeeds {
  /** What applications say of themselves: their rules, and what they call their networks. */
  readonly stacks: Pick<Stacks, 'specs' | 'listen'>
  readonly mirror: Pick<Mirror, 'range' | 'get' | 'listen' | 'opened'>
  readonly containers: Pick<ContainersService, 'list'>
  readonly networks: Networks
  readonly events: Pick<Events, 'listen'>
}

/** Applications, and the services that belong to none, with the containers of this machine that are their tasks. */
export function clusterAsPoliced({ stacks, mirror, containers, networks, events }: PolicySourceNeeds): PolicySource {
  return {
    stacks: async () => {
      await mirror.opened
      const here = containers.list()
      return policedStacks({ sight: lookAtCluster(recordsOf(mirror), here), specs: stacks.specs(), containers: here, networks })
    },
    listen: (changed) => {
      const sources = [
        events.listen(({ type, action }) => (type === 'network' || /^(die|destroy|rename)/.test(action) ? changed() : undefined)),
        stacks.listen(changed),
        followSight(mirror, changed),
      ]
      return {
        [Symbol.dispose]: () => {
          for (const one of sources) one[Symbol.dispose]()
        },
      }
    },
  }
}

interface PolicySight {
  readonly sight: ClusterSight
  readonly specs: readonly StackSpec[]
  readonly containers: readonly ContainerRecord[]
  readonly networks: Pick<Networks, 'find' | 'endpointsOf'>
}

export function policedStacks({ sight, specs, containers, networks }: PolicySight): readonly PolicedStack[] {
  const records = Map.groupBy(containers, (container) => {
    const owner = sight.ownerOf(container)
    return owner === undefined ? '' : `${owner.application ?? ''}/${owner.service}`
  })
  const seen = Map.groupBy(sight.services, ({ owner }) => owner.application)
  const ofApplication = (name: string | null, spec: StackSpec | undefined): PolicedStack => {
    const own = seen.get(name) ?? []
    const keys = new Map(
      own.flatMap((service) => service.networks.map((network) => [network.name, keyOf(network, name)] as const)),
    )
    for (const network of spec?.networks ?? []) keys.set(network.name, network.key)
    // Without a network of its own a service is in the node's default one.
    if (name === null)
      for (const { id } of own.flatMap(({ tasks }) => tasks.flatMap(({ container }) => container ?? [])))
        for (const { networkName } of networks.endpointsOf(id)) keys.set(networkName, networkName)
    const services = new Set([...(spec?.services ?? []).map((service) => service.name), ...own.map(({ owner }) => owner.service)])
    for (const key of records.keys()) if (key.startsWith(`${name ?? ''}/`)) services.add(key.slice((name ?? '').length + 1))
    return {
      name: name ?? '',
      ...(name === null ? { isLoose: true } : {}),
      rules: spec?.policy ?? PLAIN_RULES,
      networks: [...keys].flatMap(([network, key]) => policedNetwork(key, network, networks) ?? []),
      services: [...services].map((service) => ({
        name: service,
        ...networksOf(own.find(({ owner }) => owner.service === service)),
        tasks: (records.get(`${name ?? ''}/${service}`) ?? []).map((record) => policedTask(record, networks)),
      })),
    }
  }
  const names = new Set([...specs.map(({ name }) => name), ...[...seen.keys()].filter((name) => name !== null)])
  const applications = [...names].map((name) =>
    ofApplication(
      name,
      specs.find((spec) => spec.name === name),
    ),
  )
  return seen.has(null) ? [...applications, ofApplication(null, undefined)] : applications
}

/** `docker stack deploy` calls the network front of the application shop `shop_front`. */
function keyOf({ key, name }: SeenService['networks'][number], application: string | null): string {
  const prefix = `${application ?? ''}_`
  return key === name && application !== null && name.startsWith(prefix) ? name.slice(prefix.length) : key
}

function networksOf(service: SeenService | undefined): Pick<PolicedService, 'networks'> {
  return service === undefined ? {} : { networks: service.networks.map(({ name }) => name) }
}

function policedNetwork(key: string, name: string, networks: Pick<Networks, 'find'>): PolicedNetwork | undefined {
  const network = networks.find(name)
  if (network === undefined) return undefined
  return {
    key,
    name,
    bridge: network.bridge,
    subnets: network.subnets.map(({ subnet }) => subnet),
    gateways: network.subnets.map(({ gateway }) => gateway).filter((gateway) => gateway !== ''),
  }
}

function policedTask({ id, name }: ContainerRecord, networks: Pick<Networks, 'endpointsOf'>): PolicedService['tasks'][number] {
  const addresses = networks
    .endpointsOf(id)
    .map(({ networkName, ipAddress, ipv6Address }) => [networkName, [ipAddress, ipv6Address].filter((address) => address !== '')])
  return { name, addresses: Object.fromEntries(addresses) as Readonly<Record<string, readonly string[]>> }
}
