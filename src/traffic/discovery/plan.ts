import { isIPv6 } from 'node:net'

import type { Elements, Ruleset } from '#traffic/ruleset'

import type { DiscoveredService, DiscoveredTask, ServiceAddress, VirtualAddress } from './port.ts'

/** A service on one of its networks, with what stands behind its names. */
export interface Binding extends ServiceAddress {
  readonly bridge: string
}

/** Owner of the reserved addresses of a service. */
export function ownerOf({ stack, name }: Pick<DiscoveredService, 'stack' | 'name'>): string {
  return `service ${stack ?? ''}/${name}`
}

function isOwnerOfService(owner: string): boolean {
  return owner.startsWith('service ')
}

/** What is reserved and belongs to no service any more. */
export function obsolete<T extends { readonly networkId: string; readonly owner: string }>(
  services: readonly DiscoveredService[],
  reservations: readonly T[],
  idOf: (network: string) => string | undefined,
): readonly T[] {
  const wanted = new Set(
    services
      .filter(({ endpointMode }) => endpointMode === 'vip')
      .flatMap((service) => service.networks.map(({ name }) => `${idOf(name) ?? ''} ${ownerOf(service)}`)),
  )
  return reservations.filter((one) => isOwnerOfService(one.owner) && !wanted.has(`${one.networkId} ${one.owner}`))
}

/** Each service on each of its networks. `virtualOf` gives its own address there, if it has one. */
export function bindingsOf(
  services: readonly DiscoveredService[],
  idOf: (network: string) => string | undefined,
  virtualOf: (service: DiscoveredService, network: string) => VirtualAddress | undefined,
): readonly Binding[] {
  return services.flatMap((service) =>
    service.networks.flatMap(({ name, aliases }): readonly Binding[] => {
      const networkId = idOf(name)
      if (networkId === undefined) return []
      const virtual = service.endpointMode === 'vip' ? virtualOf(service, name) : undefined
      return [
        {
          ...(service.id === undefined ? {} : { id: service.id }),
          stack: service.stack,
          service: service.name,
          network: name,
          networkId,
          aliases,
          bridge: virtual?.bridge ?? '',
          virtual: virtual === undefined ? [] : [virtual.ipv4, virtual.ipv6].filter((address) => address !== ''),
          backends: service.tasks.filter(({ isReady }) => isReady).flatMap((task) => task.addresses[name] ?? []),
        },
      ]
    }),
  )
}

/** The kernel's part: null when no service has an address of its own. */
export function planTable(
  bindings: readonly Binding[],
  { seesNeighbours }: { readonly seesNeighbours: boolean },
): Ruleset | null {
  const virtual = bindings.filter((binding) => binding.virtual.length > 0)
  if (virtual.length === 0) return null
  const elements = new Map<string, Map<string, string>>()
  const put = (set: string, key: string, value = '') => {
    const known = elements.get(set) ?? new Map<string, string>()
    elements.set(set, known.set(key, value))
  }
  const sizes = new Set<number>()
  for (const { bridge, virtual: addresses, backends } of virtual)
    for (const address of addresses) {
      const family = familyOf(address)
      const behind = backends.filter((backend) => familyOf(backend) === family)
      put(`vips${family}`, address)
      put(`sizes${family}`, `"${bridge}" . ${address}`, ` : goto ${behind.length === 0 ? 'none' : chainOf(behind.length)}`)
      if (behind.length > 0) sizes.add(behind.length)
      for (const [slot, backend] of inOrder(behind).entries()) {
        put(`slots${family}`, `${address} . ${slot}`, ` : ${backend}`)
        put(`self${family}`, `${backend} . ${backend}`)
      }
    }
  return {
    sets: SETS,
    chains: chains(
      [...sizes].toSorted((a, b) => a - b),
      seesNeighbours,
    ),
    elements,
  }
}

/** So that the slots do not depend on the order in which tasks are listed. */
function inOrder(backends: readonly string[]): readonly string[] {
  return [...new Set(backends)].toSorted()
}

export function familyOf(address: string): 4 | 6 {
  return isIPv6(address) ? 6 : 4
}

function chainOf(size: number): string {
  return `of_${size}`
}

const FAMILIES = [
  { family: 4, ip: 'ip', type: 'ipv4_addr' },
  { family: 6, ip: 'ip6', type: 'ipv6_addr' },
] as const

/** The modulus in a type is of no meaning: it only says that a number of 32 bits follows. */
const SETS: ReadonlyMap<string, readonly string[]> = new Map(
  FAMILIES.flatMap(({ family, ip, type }): readonly (readonly [string, readonly string[]])[] => [
    [`sizes${family}`, [`typeof iifname . ${ip} daddr : verdict`]],
    [`slots${family}`, [`typeof ${ip} daddr . numgen random mod 2 : ${ip} daddr`]],
    [`vips${family}`, [`type ${type}`]],
    [`self${family}`, [`type ${type} . ${type}`]],
  ]),
)

function chains(sizes: readonly number[], seesNeighbours: boolean): ReadonlyMap<string, readonly string[]> {
  return new Map<string, readonly string[]>([
    // Refused at once, instead of finding another program of the host at that port.
    ['none', ['reject with icmpx type port-unreachable']],
    ...sizes.map((size): [string, readonly string[]] => [
      chainOf(size),
      FAMILIES.map(({ family, ip }) => `dnat ${ip} to ${ip} daddr . numgen random mod ${size} map @slots${family}`),
    ]),
    // Before the published ports: the addresses are the host's own, and would be taken for those of a port published everywhere.
    [
      'arriving',
      [
        'type nat hook prerouting priority dstnat - 10; policy accept;',
        ...FAMILIES.map(({ family, ip }) => `meta l4proto { tcp, udp, sctp } iifname . ${ip} daddr vmap @sizes${family}`),
      ],
    ],
    [
      'leaving',
      [
        'type nat hook postrouting priority srcnat - 10; policy accept;',
        // A task that met itself would take the answer for somebody else's, as it comes from its own address.
        ...FAMILIES.map(({ family, ip }) => `ct status dnat ${ip} saddr . ${ip} daddr @self${family} masquerade`),
        // Others keep their address: bridged answers come through here and are translated back. Where they do not, the networks' own table
        // gives them the host's address.
        ...(seesNeighbours
          ? FAMILIES.map(
              ({ family, ip }) =>
                `meta nfproto ipv${family} ct status dnat ct original ${ip} daddr @vips${family} snat ${ip} to ${ip} saddr`,
            )
          : []),
      ],
    ],
    // From another network, or from elsewhere: nobody there has this name.
    [
      'entering',
      [
        'type filter hook input priority filter - 10; policy accept;',
        'ct state established,related accept',
        ...FAMILIES.map(
          ({ family, ip }) =>
            `meta l4proto { tcp, udp, sctp } ${ip} daddr @vips${family} reject with icmpx type port-unreachable`,
        ),
      ],
    ],
  ])
}

/** Addresses whose tracked connections have to be forgotten after a change. */
export interface Forgotten {
  /** Nobody has them any more. */
  readonly all: readonly string[]
  /** They live, but get nothing new: a client that keeps its port would stick to them for ever. */
  readonly udp: readonly string[]
}

/** `before`: addresses that new connections were sent to until now. */
export function forgottenBy(before: ReadonlySet<string>, services: readonly DiscoveredService[]): Forgotten {
  const tasks = services.flatMap((service) => service.tasks)
  const ready = addressesOf(tasks.filter(({ isReady }) => isReady))
  const running = addressesOf(tasks.filter(({ isRunning }) => isRunning))
  const left = [...before].filter((address) => !ready.has(address))
  return { all: left.filter((address) => !running.has(address)), udp: left.filter((address) => running.has(address)) }
}

function addressesOf(tasks: readonly DiscoveredTask[]): ReadonlySet<string> {
  return new Set(tasks.flatMap(({ addresses }) => Object.values(addresses).flat()))
}

/** Where a table sends new connections, from the elements of its maps. */
export function backendsIn(elements: ReadonlyMap<string, Elements>): ReadonlySet<string> {
  const values = ['slots4', 'slots6'].flatMap((set) => [...(elements.get(set)?.values() ?? [])])
  return new Set(values.map((value) => value.replace(/^ : /, '')))
}

/** The same from the table as nft prints it, which an earlier daemon left. */
export function backendsInListing(listing: string): ReadonlySet<string> {
  return new Set([...listing.matchAll(/ \. \d+ : ([0-9a-f.:]+)/g)].map(([, address = '']) => address))
}
