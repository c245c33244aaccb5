import type { Ruleset } from '#traffic/ruleset'

import { familyOf, formatSubnet, parseSubnet, subnetContains, type Subnet } from './cidr.ts'
import { addressesOf, isTo, readFrom } from './match.ts'
import { numbersOf, type Numbers } from './numbers.ts'
import type { EgressRule, PolicedNetwork, PolicedStack } from './port.ts'
import { disjoint, minus, regionKey, regionsOf, type Region } from './regions.ts'
import { CHAINS, SETS } from './rules.ts'

export interface PolicyPlan {
  /** null: there is nobody to judge. */
  readonly ruleset: Ruleset | null
  readonly numbers: Numbers
}

type Put = (set: string, family: 4 | 6, key: string, value?: string) => void

/** What the kernel's sets hold for these applications. The rules themselves are always the same. */
export function planPolicy(all: readonly PolicedStack[], before: Numbers): PolicyPlan {
  const stacks = all.filter(({ isLoose }) => isLoose !== true)
  const numbers = numbersOf(stacks, before)
  if (stacks.length === 0) return { ruleset: null, numbers }
  const elements = new Map<string, Map<string, string>>()
  const put: Put = (set, family, key, value = '') => {
    const name = `${set}${family}`
    elements.set(name, (elements.get(name) ?? new Map<string, string>()).set(key, value))
  }
  for (const stack of stacks) {
    for (const network of stack.networks) putNetwork(network, put)
    putMembers(stack, numbers, put)
    for (const rule of stack.rules.egress) putEgress(stack, rule, put)
  }
  putAllowed(stacks, numbers, put)
  const bridges = stacks.flatMap(({ networks }) => networks.map(({ bridge }) => bridge)).filter((bridge) => bridge !== '')
  elements.set('bridges', new Map(bridges.map((bridge) => [`"${bridge}"`, ''])))
  return { ruleset: { sets: SETS, chains: CHAINS, elements }, numbers }
}

function putNetwork({ subnets, gateways }: PolicedNetwork, put: Put): void {
  for (const text of subnets) {
    const subnet = parseSubnet(text)
    if (subnet !== undefined) put('subnets', subnet.family, formatSubnet(subnet))
  }
  for (const gateway of gateways) put('gateways', familyOf(gateway), gateway)
}

function putMembers(stack: PolicedStack, numbers: Numbers, put: Put): void {
  const ofStack = numbers.get(stack.name) ?? 0
  for (const { name } of stack.services) {
    const ofService = numbers.get(`${stack.name}/${name}`) ?? 0
    for (const address of addressesOf(stack, name)) {
      const family = familyOf(address)
      put('stacks', family, address, ` : ${ofStack}`)
      put('services', family, address, ` : ${ofService}`)
      put('inside', family, `${stack.rules.inside === 'allow' ? ofStack : ofService} . ${address}`)
      if (stack.rules.isLogged) put('logged', family, address)
    }
  }
}

/** What rules let in. Of one source and one target all regions are taken together: the kernel's set must have no overlaps. */
function putAllowed(stacks: readonly PolicedStack[], numbers: Numbers, put: Put): void {
  const regions = new Map<string, Region[]>()
  for (const stack of stacks)
    for (const rule of stack.rules.allow)
      for (const source of rule.from.flatMap((from) => sourceOf(from, stack.name, numbers) ?? []))
        for (const { name } of stack.services.filter((service) => isTo(rule, service.name)))
          for (const address of addressesOf(stack, name)) {
            const key = `${source}${address}`
            regions.set(key, [...(regions.get(key) ?? []), ...regionsOf(rule.ports)])
          }
  for (const [key, list] of regions) {
    const address = key.slice(key.lastIndexOf(' ') + 1)
    const set = key === address ? 'open' : 'allowed'
    for (const region of disjoint(list)) put(set, familyOf(address), `${key} . ${regionKey(region)}`)
  }
}

/** Beginning of the element's key: `7 . `, or nothing for everybody. Undefined: there is no such service. */
function sourceOf(from: string, ownStack: string, numbers: Numbers): string | undefined {
  const read = readFrom(from, ownStack)
  if (read === null) return ''
  const number = numbers.get(read.service === null ? read.stack : `${read.stack}/${read.service}`)
  return number === undefined ? undefined : `${number} . `
}

function putEgress(stack: PolicedStack, rule: EgressRule, put: Put): void {
  const network = stack.networks.find(({ key }) => key === rule.network)
  if (network === undefined) return
  const tasks = stack.services.flatMap((service) => service.tasks)
  const except = exceptions(rule)
  for (const address of tasks.flatMap(({ addresses }) => addresses[network.name] ?? [])) {
    const family = familyOf(address)
    if (rule.outside === 'deny') put('shut', family, address)
    const set = rule.outside === 'deny' ? 'outlets' : 'barred'
    for (const { subnet, regions } of except.filter((one) => one.subnet.family === family))
      for (const region of regions) put(set, family, `${address} . ${formatSubnet(subnet)} . ${regionKey(region)}`)
  }
}

/** Without overlaps: of what lies in a wider subnet only what that does not have already. */
function exceptions({ except }: EgressRule): readonly { readonly subnet: Subnet; readonly regions: readonly Region[] }[] {
  const read = except
    .flatMap(({ to, ports }) => {
      const subnet = parseSubnet(to)
      return subnet === undefined ? [] : [{ subnet, regions: regionsOf(ports) }]
    })
    .toSorted((a, b) => a.subnet.prefixLength - b.subnet.prefixLength)
  const kept: { subnet: Subnet; regions: readonly Region[] }[] = []
  for (const { subnet, regions } of read) {
    const covered = kept.filter((one) => subnetContains(one.subnet, subnet)).flatMap((one) => one.regions)
    kept.push({ subnet, regions: minus(disjoint(regions), covered) })
  }
  return kept.filter(({ regions }) => regions.length > 0)
}
