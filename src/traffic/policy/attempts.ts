import { familyOf } from './cidr.ts'
import { nameOf } from './match.ts'
import type { PolicedStack, RefusedAttempt } from './port.ts'

/** Reads the set of refused attempts as nft prints it; whose addresses they are say the applications. */
export function readAttempts(listing: string, stacks: readonly PolicedStack[]): readonly RefusedAttempt[] {
  const names = namesByAddress(stacks)
  const nameAt = (address: string) => names.get(address) ?? address
  const element =
    /([0-9a-f.:]+) \. ([0-9a-f.:]+) \. ([a-z0-9-]+) \. ([a-z0-9-]+) (?:timeout \S+ )?(?:expires \S+ )?counter packets (\d+) bytes \d+/g
  const read = [...listing.matchAll(element)].map(([, from = '', to = '', protocol = '', port = '', packets]) => ({
    from: nameAt(from),
    to: nameAt(to),
    protocol: protocol === 'ipv6-icmp' ? 'icmp' : protocol,
    port: HAS_PORTS.has(protocol) ? Number(port) : 0,
    packets: Number(packets),
  }))
  return merged(read).toSorted((a, b) => b.packets - a.packets)
}

/** Several tasks of a service are one to people. */
function merged(attempts: readonly RefusedAttempt[]): readonly RefusedAttempt[] {
  const byParties = Map.groupBy(attempts, ({ from, to, protocol, port }) => `${from} ${to} ${protocol} ${port}`)
  return [...byParties.values()].flatMap((same) => {
    const [first] = same
    return first === undefined ? [] : [{ ...first, packets: same.reduce((sum, { packets }) => sum + packets, 0) }]
  })
}

const HAS_PORTS: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp', 'udplite', 'dccp'])

function namesByAddress(stacks: readonly PolicedStack[]): ReadonlyMap<string, string> {
  return new Map(
    stacks.flatMap((stack) =>
      stack.services.flatMap(({ name, tasks }) =>
        tasks.flatMap(({ addresses }) =>
          Object.values(addresses)
            .flat()
            .map((address) => [address, nameOf({ stack: stack.name, service: name })] as const),
        ),
      ),
    ),
  )
}

export function attemptSets(): readonly string[] {
  return (['0.0.0.0', '::'] as const).map((any) => `attempts${familyOf(any)}`)
}
