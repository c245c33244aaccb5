import { parseSubnet, subnetContains } from './cidr.ts'
import { isFrom, isTo, nameOf, type Party } from './match.ts'
import type { AllowRule, EgressRule, PolicedStack, PortRange } from './port.ts'

/** What is asked for: one port of a protocol, or, with neither, anything at all. */
export interface Wish {
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'other'
  /** 0 of a protocol without ports. */
  readonly port: number
}

export interface Decision {
  readonly isAllowed: boolean
  /** What decided, for people: `rule 2 of shop: web, bank/* may reach db at tcp/5432`. */
  readonly rule: string
}

/** Between services. Says nothing of whether they share a network. */
export function decideBetween(stacks: readonly PolicedStack[], from: Party, to: Party, wish: Wish): Decision {
  const target = stacks.find(({ name }) => name === to.stack)
  if (target === undefined) return { isAllowed: true, rule: `${to.stack} is no application: nothing is judged` }
  for (const party of [from, to])
    if (stacks.some(({ name, isLoose }) => name === party.stack && isLoose === true))
      return { isAllowed: true, rule: `${nameOf(party)} belongs to no application: its networks alone decide` }
  const { inside, allow } = target.rules
  if (from.stack === to.stack && from.service === to.service)
    return { isAllowed: true, rule: 'a service may always talk to its own tasks' }
  if (from.stack === to.stack && inside === 'allow') return { isAllowed: true, rule: `everything inside ${to.stack} may talk` }
  const at = allow.findIndex((rule) => isFrom(rule, to.stack, from) && isTo(rule, to.service) && hasPort(rule.ports, wish))
  const found = allow[at]
  if (found !== undefined) return { isAllowed: true, rule: `rule ${at + 1} of ${to.stack}: ${describeRule(found)}` }
  return {
    isAllowed: false,
    rule:
      from.stack === to.stack
        ? `no rule of ${to.stack} lets it in, and inside ${to.stack} only what a rule allows may talk`
        : `no rule of ${to.stack} lets it in, and applications may not talk to each other without one`,
  }
}

/** To an address that belongs to nobody here, out of one of the task's networks. */
export function decideOutside(
  stacks: readonly PolicedStack[],
  from: Party,
  networkKey: string,
  address: string,
  wish: Wish,
): Decision {
  const rule = stacks.find(({ name }) => name === from.stack)?.rules.egress.find(({ network }) => network === networkKey)
  if (rule === undefined) return { isAllowed: true, rule: `nothing is said of the way out of ${networkKey}: it is open` }
  const isException = isExcepted(rule, address, wish)
  const isAllowed = (rule.outside === 'allow') !== isException
  const says = `egress of ${from.stack} through ${networkKey}: ${rule.outside}`
  return { isAllowed, rule: isException ? `${says}, except this` : says }
}

function isExcepted({ except }: EgressRule, address: string, wish: Wish): boolean {
  const asked = parseSubnet(address)
  return except.some(({ to, ports }) => {
    const subnet = parseSubnet(to)
    return subnet !== undefined && asked !== undefined && subnetContains(subnet, asked) && hasPort(ports, wish)
  })
}

function hasPort(ports: readonly PortRange[], { protocol, port }: Wish): boolean {
  return ports.length === 0 || ports.some((range) => range.protocol === protocol && range.first <= port && port <= range.last)
}

function describeRule({ from, to, ports }: AllowRule): string {
  const target = to.length === 0 ? 'every service' : to.join(', ')
  return `${from.map((one) => (one === '*' ? 'everybody' : one)).join(', ')} may reach ${target} at ${describePorts(ports)}`
}

export function describePorts(ports: readonly PortRange[]): string {
  if (ports.length === 0) return 'every port'
  return ports.map(({ protocol, first, last }) => `${protocol}/${first === last ? first : `${first}-${last}`}`).join(', ')
}
