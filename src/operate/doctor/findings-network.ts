import type { HostFacts } from './facts.ts'
import type { Finding } from './finding.ts'
import { note, ok, warning } from './make.ts'

export function networkFindings(facts: HostFacts): readonly Finding[] {
  return [...forwarding(facts), ...forwardPolicy(facts), nameservers(facts)]
}

function forwarding({ isIpForwardOn }: HostFacts): readonly Finding[] {
  if (isIpForwardOn === null) return []
  if (isIpForwardOn) return [ok('network.ip_forward', 'The host forwards packets.')]
  return [
    note(
      'network.ip_forward',
      'The host does not forward packets yet.',
      'Containers reach the outside only through it; the daemon switches it on when it makes its first network.',
    ),
  ]
}

/** Of iptables, with either backend. */
const IPTABLES_TABLE = 'filter'

function forwardPolicy({ forward }: HostFacts): readonly Finding[] {
  if (forward === null) return []
  if (!forward.isDrop) return [ok('network.forward_policy', 'No other firewall drops forwarded packets.')]
  const whose = forward.hasDockerUser ? 'A Docker beside us' : `The firewall (table ${forward.table})`
  return [
    note(
      'network.forward_policy',
      `${whose} drops forwarded packets that no rule of its own accepts.`,
      'An accept in our table does not override that.',
      forward.hasDockerUser
        ? 'The daemon adds rules for its networks to the chain DOCKER-USER, and removes them when it stops.'
        : forward.table === IPTABLES_TABLE
          ? 'The daemon appends rules for its networks to the chain FORWARD, and removes them when it stops.'
          : 'Let it accept packets from and to the bridges of containers.',
    ),
  ]
}

function nameservers(facts: HostFacts): Finding {
  const isLocal = (address: string) => address.startsWith('127.') || address === '::1'
  if (facts.nameservers.length === 0)
    return warning(
      'network.dns',
      'No name server in /etc/resolv.conf.',
      'Containers resolve names of the outside through the host.',
      'Name one in /etc/resolv.conf.',
    )
  const list = facts.nameservers.join(', ')
  if (facts.nameservers.every(isLocal))
    return note(
      'network.dns',
      `The only name server is this host itself (${list}).`,
      'Containers cannot reach that address; the daemon asks it on their behalf.',
    )
  return ok('network.dns', `Name servers: ${list}.`)
}
