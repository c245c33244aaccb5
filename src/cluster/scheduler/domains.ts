import { placeOf } from './attributes.ts'
import type { SchedulableNode } from './port.ts'

/** How many tasks stand in each place of a topology: `zone a: 3, zone b: 2`. */
export interface Domain {
  readonly place: (node: SchedulableNode) => string
  readonly counts: Map<string, number>
}

export type Domains = Map<string, Domain>

/** Keeps counting from now on; what stands already is counted by `standing`. */
export function domainOf(domains: Domains, topology: string, standing: Iterable<readonly [SchedulableNode, number]>): Domain {
  const known = domains.get(topology)
  if (known !== undefined) return known
  const domain: Domain = { place: placeOf(topology), counts: new Map() }
  for (const [node, count] of standing) add(domain, node, count)
  domains.set(topology, domain)
  return domain
}

export function countIn(domains: Domains, node: SchedulableNode, change: number): void {
  for (const domain of domains.values()) add(domain, node, change)
}

function add(domain: Domain, node: SchedulableNode, change: number): void {
  const place = domain.place(node)
  const count = (domain.counts.get(place) ?? 0) + change
  if (count === 0) domain.counts.delete(place)
  else domain.counts.set(place, count)
}
