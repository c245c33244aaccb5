import type { Clock, Log } from '#base'
import type { Host } from '#host'
import { startPolicy, type Policy } from '#traffic/policy'

import { containerOwner } from './cluster-sight.ts'
import { nftOf } from './discovery.ts'
import { clusterAsPoliced, type PolicySourceNeeds } from './policy-source.ts'

export interface PolicyWiring extends PolicySourceNeeds {
  readonly host: Host
  readonly clock: Clock
  readonly log: Log
}

/** Network policy between applications on this machine. A task is judged from its first packet on: its start waits for the kernel's word. */
export function openPolicy(wiring: PolicyWiring): Policy {
  const { networks, containers, mirror, host, clock, log } = wiring
  const policy = startPolicy({
    source: clusterAsPoliced(wiring),
    nft: { ...nftOf(host), listSet: async (table, set) => await host.nftables.listSet('inet', table, set) },
    table: `${networks.tableName}_policy`,
    clock,
    log,
  })
  networks.beforeUse(async ({ containerId }) => {
    const record = containers.list().find(({ id }) => id === containerId)
    const application = record === undefined ? undefined : containerOwner(record, mirror)?.application
    if (application !== undefined && application !== null) await policy.settle()
  })
  policy.settle().catch(() => undefined)
  return policy
}
