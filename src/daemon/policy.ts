import type { Clock, Log } from '#base'
import { LABELS } from '#cluster/reconcile'
import type { StackSpec } from '#cluster/spec'
import type { Stacks } from '#cluster/stacks'
import type { ContainerRecord, ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Networks } from '#engine/network'
import type { Host } from '#host'
import { PLAIN_RULES, startPolicy, type PolicedNetwork, type PolicedStack, type Policy, type PolicySource } from '#traffic/policy'

import { nftOf } from './discovery.ts'

export interface PolicyWiring {
  readonly stacks: Pick<Stacks, 'specs' | 'listen'>
  readonly containers: Pick<ContainersService, 'list'>
  readonly networks: Networks
  readonly events: Pick<Events, 'listen'>
  readonly host: Host
  readonly clock: Clock
  readonly log: Log
}

/** Network policy between applications on this machine. A task is judged from its first packet on: its start waits for the kernel's word. */
export function openPolicy(wiring: PolicyWiring): Policy {
  const { networks, containers, host, clock, log } = wiring
  const policy = startPolicy({
    source: stacksAsPoliced(wiring),
    nft: { ...nftOf(host), listSet: async (table, set) => await host.nftables.listSet('inet', table, set) },
    table: `${networks.tableName}_policy`,
    clock,
    log,
  })
  networks.beforeUse(async ({ containerId }) => {
    const record = containers.list().find(({ id }) => id === containerId)
    if (record?.spec.labels[LABELS.stack] !== undefined) await policy.settle()
  })
  policy.settle().catch(() => undefined)
  return policy
}

function stacksAsPoliced({ stacks, containers, networks, events }: PolicyWiring): PolicySource {
  return {
    stacks: async () => {
      const records = Map.groupBy(containers.list(), ({ spec }) => spec.labels[LABELS.stack] ?? '')
      return await Promise.resolve(stacks.specs().map((spec) => policedStack(spec, records.get(spec.name) ?? [], networks)))
    },
    listen: (changed) => {
      const sources = [
        events.listen(({ type, action }) => (type === 'network' || /^(die|destroy|rename)/.test(action) ? changed() : undefined)),
        stacks.listen(changed),
      ]
      return {
        [Symbol.dispose]: () => {
          for (const one of sources) one[Symbol.dispose]()
        },
      }
    },
  }
}

function policedStack(spec: StackSpec, records: readonly ContainerRecord[], networks: Networks): PolicedStack {
  return {
    name: spec.name,
    rules: spec.policy ?? PLAIN_RULES,
    networks: spec.networks.flatMap(({ key, name }) => policedNetwork(key, name, networks) ?? []),
    services: spec.services.map(({ name }) => ({
      name,
      tasks: records
        .filter((record) => record.spec.labels[LABELS.service] === name)
        .map((record) => ({ name: record.name, addresses: addressesOf(record, networks) })),
    })),
  }
}

function policedNetwork(key: string, name: string, networks: Networks): PolicedNetwork | undefined {
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

function addressesOf({ id }: ContainerRecord, networks: Networks): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    networks
      .endpointsOf(id)
      .map(({ networkName, ipAddress, ipv6Address }) => [
        networkName,
        [ipAddress, ipv6Address].filter((address) => address !== ''),
      ]),
  )
}
