import type { PolicyPort } from '#api/glovebox'
import type { Host } from '#host'
import { checkPolicy, mayTalk } from '#traffic/policy'

import type { Cluster } from './cluster.ts'
import type { NamesPort } from './names-port.ts'

export function policyPort(
  { policy, discovery }: Pick<Cluster, 'policy' | 'discovery'>,
  host: Pick<Host, 'kernel'>,
  names: NamesPort,
): PolicyPort {
  return {
    report: async () => ({
      isEnforced: host.kernel.facts().hasBridgeNetfilter,
      mayTalk: mayTalk(policy.stacks()),
      refused: await policy.attempts(),
    }),
    check: (from, to) => {
      const stacks = policy.stacks()
      const owner = discovery.addresses().find(({ virtual }) => virtual.some((address) => isAt(to, address)))
      // Behind a service's own address are its tasks: those are judged.
      const service = owner === undefined || owner.stack === null ? owner?.service : `${owner.stack}/${owner.service}`
      const target = service === undefined ? to : `${service}${portOf(to)}`
      return checkPolicy(stacks, from, target)
    },
    explain: (from, name) => {
      const { addresses, ...found } = names.explain(from, name)
      return { ...found, addresses: addresses ?? null }
    },
    addresses: () =>
      discovery
        .addresses()
        .map(({ stack, service, network, virtual, backends }) => ({ stack, service, network, virtual, backends })),
  }
}

function isAt(target: string, address: string): boolean {
  return target === address || target.startsWith(address.includes(':') ? `[${address}]` : `${address}:`)
}

function portOf(target: string): string {
  return /:\d+(\/\w+)?$/.exec(target.includes(']') ? target.slice(target.indexOf(']')) : target)?.[0] ?? ''
}
