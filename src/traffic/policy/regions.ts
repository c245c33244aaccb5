import type { PortRange } from './port.ts'

/** Protocols and ports, all bounds included: what the kernel compares of a packet. */
export interface Region {
  readonly protocols: readonly [number, number]
  readonly ports: readonly [number, number]
}

/** IANA's numbers. */
export const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const

const EVERYTHING: Region = { protocols: [0, 255], ports: [0, 65_535] }

export function regionsOf(ports: readonly PortRange[]): readonly Region[] {
  if (ports.length === 0) return [EVERYTHING]
  return ports.map(({ protocol, first, last }) => ({
    protocols: [PROTOCOLS[protocol], PROTOCOLS[protocol]],
    ports: [first, last],
  }))
}

/** The same regions without overlaps: the kernel takes no two elements that share a packet. */
export function disjoint(regions: readonly Region[]): readonly Region[] {
  const kept: Region[] = []
  // Large ones first, so that what they cover falls away whole.
  for (const region of regions.toSorted((a, b) => sizeOf(b) - sizeOf(a))) kept.push(...minus([region], kept))
  return kept
}

function sizeOf({ protocols, ports }: Region): number {
  return (protocols[1] - protocols[0] + 1) * (ports[1] - ports[0] + 1)
}

/** What is left of `regions` without `others`. */
export function minus(regions: readonly Region[], others: readonly Region[]): readonly Region[] {
  return others.reduce<readonly Region[]>((left, other) => left.flatMap((one) => cut(one, other)), regions)
}

function cut(region: Region, other: Region): readonly Region[] {
  const protocols = common(region.protocols, other.protocols)
  const ports = common(region.ports, other.ports)
  if (protocols === undefined || ports === undefined) return [region]
  return [
    ...around(region.protocols, protocols).map((rest) => ({ protocols: rest, ports: region.ports })),
    ...around(region.ports, ports).map((rest) => ({ protocols, ports: rest })),
  ]
}

type Span = readonly [number, number]

function common(a: Span, b: Span): Span | undefined {
  const [first, last] = [Math.max(a[0], b[0]), Math.min(a[1], b[1])]
  return first <= last ? [first, last] : undefined
}

function around(whole: Span, middle: Span): readonly Span[] {
  return [
    ...(whole[0] < middle[0] ? [[whole[0], middle[0] - 1] as const] : []),
    ...(middle[1] < whole[1] ? [[middle[1] + 1, whole[1]] as const] : []),
  ]
}

/** As nft writes ranges: `6 . 80-90`. */
export function regionKey({ protocols, ports }: Region): string {
  return [protocols, ports].map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(' . ')
}
