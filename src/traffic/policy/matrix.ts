import { describePorts } from './decide.ts'
import { isFrom, isTo, type Party } from './match.ts'
import type { PolicedStack } from './port.ts'

/** One line of who may talk to whom. */
export interface MayTalk {
  /** `shop/web`, `shop/*` for all of an application. */
  readonly from: string
  /** `shop/db`, or `outside through NETWORK`. */
  readonly to: string
  /** `every port`, `tcp/5432, udp/53`, or `nothing`. */
  readonly ports: string
  readonly rule: string
}

/** What is said, in few lines: whole applications where all of them may, services where a rule names them. */
export function mayTalk(stacks: readonly PolicedStack[]): readonly MayTalk[] {
  const judged = stacks.filter(({ isLoose }) => isLoose !== true)
  const parties = judged.flatMap((stack) => stack.services.map(({ name }): Party => ({ stack: stack.name, service: name })))
  return stacks.flatMap((stack) =>
    stack.isLoose === true ? looseIn(stack) : [...insideOf(stack), ...allowedInto(stack, parties), ...wayOut(stack)],
  )
}

/** Who shares a network with such services is nobody's business. */
function looseIn({ networks, services }: PolicedStack): readonly MayTalk[] {
  return networks.flatMap((network) => {
    const there = services.filter((service) => service.networks?.includes(network.name) === true).map(({ name }) => name)
    const rule = 'of no application: its networks alone decide'
    return there.length === 0
      ? []
      : [{ from: there.join(', '), to: `everybody on ${network.name}`, ports: describePorts([]), rule }]
  })
}

function insideOf({ name, rules }: PolicedStack): readonly MayTalk[] {
  return rules.inside === 'allow'
    ? [{ from: `${name}/*`, to: `${name}/*`, ports: describePorts([]), rule: 'inside an application' }]
    : [{ from: `${name}/*`, to: `${name}/*`, ports: 'only by rules', rule: `inside: deny of ${name}` }]
}

function allowedInto(stack: PolicedStack, parties: readonly Party[]): readonly MayTalk[] {
  return stack.rules.allow.flatMap((rule, at) => {
    const from = parties.filter((party) => isFrom(rule, stack.name, party))
    const to = stack.services.filter(({ name }) => isTo(rule, name))
    return from.flatMap((party) =>
      to
        .filter(({ name }) => party.stack !== stack.name || (party.service !== name && stack.rules.inside === 'deny'))
        .map(({ name }) => ({
          from: `${party.stack}/${party.service}`,
          to: `${stack.name}/${name}`,
          ports: describePorts(rule.ports),
          rule: `rule ${at + 1} of ${stack.name}`,
        })),
    )
  })
}

function wayOut({ name, rules, networks }: PolicedStack): readonly MayTalk[] {
  return networks.map(({ key }) => {
    const rule = rules.egress.find(({ network }) => network === key)
    const except = (rule?.except ?? []).map(({ to, ports }) => (ports.length === 0 ? to : `${to} at ${describePorts(ports)}`))
    const isOpen = rule === undefined || rule.outside === 'allow'
    return {
      from: `${name}/*`,
      to: `outside through ${key}`,
      ports: `${isOpen ? 'everywhere' : 'nowhere'}${except.length === 0 ? '' : `, but ${isOpen ? 'not ' : ''}${except.join('; ')}`}`,
      rule: rule === undefined ? 'nothing is said' : `egress of ${name}`,
    }
  })
}
