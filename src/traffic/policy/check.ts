import { isIP } from 'node:net'

import { parseSubnet, subnetContains } from './cidr.ts'
import { decideBetween, decideOutside, type Wish } from './decide.ts'
import { policyError } from './errors.ts'
import { nameOf, type Party } from './match.ts'
import type { PolicedNetwork, PolicedStack } from './port.ts'

/** Whether one may open a connection to another, and what says so. */
export interface PolicyAnswer {
  readonly from: string
  readonly to: string
  readonly protocol: string
  /** 0: of a protocol without ports. */
  readonly port: number
  readonly isAllowed: boolean
  /** What decided, for people. */
  readonly rule: string
  /** Names of the networks on which they meet; of an address outside, those that lead there. */
  readonly networks: readonly string[]
}

/** `shop/web` or the name of a task, and `shop/db:5432`, `shop/dns:53/udp` or `203.0.113.7:443`. Errors: `policy.invalid_party`, `policy.unknown_party`. */
export function checkPolicy(stacks: readonly PolicedStack[], from: string, to: string): PolicyAnswer {
  const { host, wish } = readTarget(to)
  const source = partyNamed(stacks, from)
  const told = { from: nameOf(source), protocol: wish.protocol, port: wish.port }
  if (isIP(host) !== 0) {
    const owner = partyAt(stacks, host)
    return owner === undefined
      ? { ...told, to: host, ...outside(stacks, source, host, wish) }
      : { ...told, to: nameOf(owner), ...between(stacks, source, owner, wish) }
  }
  const target = partyNamed(stacks, host)
  return { ...told, to: nameOf(target), ...between(stacks, source, target, wish) }
}

type Verdict = Pick<PolicyAnswer, 'isAllowed' | 'rule' | 'networks'>

function between(stacks: readonly PolicedStack[], from: Party, to: Party, wish: Wish): Verdict {
  const theirs = new Set(networksOf(stacks, to).map(({ name }) => name))
  const networks = networksOf(stacks, from)
    .map(({ name }) => name)
    .filter((name) => theirs.has(name))
  if (networks.length === 0)
    return { isAllowed: false, rule: 'they have no network in common; no rule opens a way between networks', networks }
  return { ...decideBetween(stacks, from, to, wish), networks }
}

/** Out by any network is out. */
function outside(stacks: readonly PolicedStack[], from: Party, address: string, wish: Wish): Verdict {
  const networks = networksOf(stacks, from)
  const own = networks.find(({ subnets }) => subnets.some((subnet) => isWithin(subnet, address)))
  if (own !== undefined)
    return { isAllowed: true, rule: `${address} is in ${own.name}, and belongs to no application`, networks: [own.name] }
  const decisions = networks.map((network) => ({ network, decision: decideOutside(stacks, from, network.key, address, wish) }))
  const best = decisions.find(({ decision }) => decision.isAllowed) ?? decisions[0]
  if (best === undefined) return { isAllowed: false, rule: 'it is in no network', networks: [] }
  const leading = decisions.filter(({ decision }) => decision.isAllowed).map(({ network }) => network.name)
  return { ...best.decision, networks: leading }
}

function isWithin(subnet: string, address: string): boolean {
  const [outer, inner] = [parseSubnet(subnet), parseSubnet(address)]
  return outer !== undefined && inner !== undefined && subnetContains(outer, inner)
}

/** Networks that the service's tasks are in; of one without tasks all of its application. */
function networksOf(stacks: readonly PolicedStack[], party: Party): readonly PolicedNetwork[] {
  const stack = stacks.find(({ name }) => name === party.stack)
  const service = stack?.services.find(({ name }) => name === party.service)
  const joined = new Set([
    ...(service?.networks ?? []),
    ...(service?.tasks ?? []).flatMap(({ addresses }) => Object.keys(addresses)),
  ])
  return (stack?.networks ?? []).filter(({ name }) => joined.size === 0 || joined.has(name))
}

/** `db:5432`, `db:53/udp`, `[2001:db8::1]:443`; without a port: whatever has none, such as a ping. */
function readTarget(text: string): { readonly host: string; readonly wish: Wish } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5})(?:\/(tcp|udp|sctp))?)?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3] ?? 0)
  if (host === undefined || port > 65_535 || (match?.[3] !== undefined && port === 0))
    throw policyError('policy.invalid_party', `${JSON.stringify(text)} is no target`, {
      hint: 'Write a service and a port, such as shop/db:5432 or shop/dns:53/udp, or an address: 203.0.113.7:443, [2001:db8::1]:443.',
    })
  const protocol = match?.[3] === undefined ? 'other' : ((match[4] ?? 'tcp') as Wish['protocol'])
  return { host, wish: { protocol, port } }
}

/** `shop/web`, the name of a task, or of a service that only one application has. */
function partyNamed(stacks: readonly PolicedStack[], text: string): Party {
  const parties = stacks.flatMap((stack) =>
    stack.services.map((service) => ({ stack: stack.name, service: service.name, tasks: service.tasks.map(({ name }) => name) })),
  )
  const exact = parties.filter((party) => nameOf(party) === text || party.tasks.includes(text))
  const found = exact.length > 0 ? exact : parties.filter(({ service }) => service === text)
  const [party, ...others] = found
  if (party === undefined)
    throw policyError('policy.unknown_party', `no service ${JSON.stringify(text)} is known here`, {
      hint: 'Write application/service, such as shop/web, or the name of a task; `glovebox policy ls` shows them.',
    })
  if (others.length > 0)
    throw policyError('policy.invalid_party', `${text} may be one of ${found.map(nameOf).join(', ')}`, {
      hint: 'Write the application before it: shop/web.',
    })
  return { stack: party.stack, service: party.service }
}

function partyAt(stacks: readonly PolicedStack[], address: string): Party | undefined {
  for (const stack of stacks)
    for (const { name, tasks } of stack.services)
      if (tasks.some(({ addresses }) => Object.values(addresses).flat().includes(address)))
        return { stack: stack.name, service: name }
  return undefined
}
