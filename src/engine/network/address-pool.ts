import { cidrAt, contains, formatCidr, formatIp, includes, overlaps, parseCidr, parseIp, sizeOf } from './cidr.ts'
import type { Cidr } from './cidr.ts'
import { networkError } from './errors.ts'
import type { PoolUse, Subnet, SubnetSpec } from './port.ts'

/** Where subnets come from when the user names none: `count` networks of `prefixLength` from `first` on. */
export interface DefaultPool {
  readonly first: string
  readonly prefixLength: number
  readonly count: number
}

/** Docker's own default pools without 172.17.0.0/16, which a Docker beside us takes for itself. */
export const DEFAULT_POOLS: readonly DefaultPool[] = [
  { first: '172.18.0.0', prefixLength: 16, count: 14 },
  { first: '192.168.0.0', prefixLength: 20, count: 16 },
]

/** So many subnets of one pool are looked at, at most: a pool of IPv6 may have more than anybody can count. */
const MAX_POOL_SUBNETS = 65_536

/** `base=172.30.0.0/16,size=24`, as Docker's daemon takes them. Error: `network.invalid`. */
export function readAddressPool(text: string): DefaultPool {
  const what = `address pool ${JSON.stringify(text)}`
  const match = /^base=([^,]+),size=(\d{1,3})$/.exec(text)
  if (match?.[1] === undefined) throw networkError('network.invalid', `${what} is not written as base=172.30.0.0/16,size=24`)
  const base = parseCidr(match[1], what)
  const prefixLength = Number(match[2])
  if (prefixLength < base.prefixLength || prefixLength > MAX_PREFIX_LENGTH[base.family])
    throw networkError(
      'network.invalid',
      `${what}: the size must be between ${base.prefixLength} and ${MAX_PREFIX_LENGTH[base.family]}`,
    )
  const count = Math.min(2 ** (prefixLength - base.prefixLength), MAX_POOL_SUBNETS)
  return { first: formatIp(base.family, base.base), prefixLength, count }
}

/** Larger subnets would make a container scan (ARP, IPv6 neighbours) span networks of others; smaller ones hold nobody. */
const MIN_PREFIX_LENGTH = { 4: 8, 6: 16 } as const
const MAX_PREFIX_LENGTH = { 4: 30, 6: 126 } as const

/** The first subnet of the pools that touches nothing that is taken. */
export function chooseSubnet(pools: readonly DefaultPool[], taken: readonly Cidr[]): Cidr | undefined {
  for (const pool of pools) {
    const { family, value } = parseIp(pool.first, 'address pool')
    const first = cidrAt(family, value, pool.prefixLength)
    for (let at = 0; at < pool.count; at += 1) {
      const candidate = { ...first, base: first.base + BigInt(at) * sizeOf(first) }
      if (!taken.some((other) => overlaps(other, candidate))) return candidate
    }
  }
  return undefined
}

/** How much of the pools is left. A subnet counts as used when anything that is taken touches it. */
export function poolUse(pools: readonly DefaultPool[], taken: readonly Cidr[]): PoolUse {
  let used = 0
  for (const { first, prefixLength, count } of pools) {
    const { family, value } = parseIp(first, 'address pool')
    const size = sizeOf(cidrAt(family, value, prefixLength))
    const slots = new Set<number>()
    for (const other of taken) {
      if (other.family !== family) continue
      const from = other.base < value ? 0 : Number((other.base - value) / size)
      const to = Math.min(count - 1, Number((other.base + sizeOf(other) - 1n - value) / size))
      if (other.base + sizeOf(other) > value) for (let at = from; at <= to; at += 1) slots.add(at)
    }
    used += slots.size
  }
  return { total: pools.reduce((sum, { count }) => sum + count, 0), used, ranges: pools.map(describePool) }
}

/** Unique local addresses (RFC 4193) of an instance: fd, 40 bits that are its own, then a number for each network. */
export function ipv6Pool(instanceDigits: string): DefaultPool {
  const digits = instanceDigits.padEnd(10, '0').slice(0, 10)
  return { first: `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6, 10)}::`, prefixLength: 64, count: 65_536 }
}

export interface SubnetPlanInput {
  readonly networkName: string
  readonly specs: readonly SubnetSpec[]
  readonly hasIpv4: boolean
  readonly hasIpv6: boolean
  readonly pools: { readonly 4: readonly DefaultPool[]; readonly 6: readonly DefaultPool[] }
  /** Subnets of our networks, and of the host's links and routes. `owner` ends up in messages. */
  readonly taken: readonly { readonly cidr: Cidr; readonly owner: string }[]
}

/** One subnet for each family that the network has, with everything chosen that the user left open. */
export function planSubnets(input: SubnetPlanInput): readonly Subnet[] {
  const { networkName, specs, hasIpv4, hasIpv6 } = input
  const families = ([4, 6] as const).filter((family) => (family === 4 ? hasIpv4 : hasIpv6))
  const given = specs.map((spec) => readSpec(spec, networkName))
  for (const family of [4, 6] as const) {
    const count = given.filter((spec) => spec.family === family).length
    if (count > 1)
      throw networkError(
        'network.unsupported',
        `network ${networkName}: ${count} IPv${family} subnets; a bridge network has one of each family`,
      )
    if (count > 0 && !families.includes(family))
      throw networkError('network.invalid', `network ${networkName}: an IPv${family} subnet is given, but IPv${family} is off`, {
        hint: family === 6 ? 'Enable IPv6 on the network (--ipv6).' : 'Leave IPv4 on.',
      })
  }
  return families.map((family) => {
    const spec = given.find((candidate) => candidate.family === family)
    return spec?.cidr === undefined ? automaticSubnet(family, input) : explicitSubnet(spec.cidr, spec.spec, input)
  })
}

function readSpec(spec: SubnetSpec, networkName: string): { family: 4 | 6; cidr: Cidr | undefined; spec: SubnetSpec } {
  if (spec.subnet !== undefined && spec.subnet !== '') {
    const cidr = parseCidr(spec.subnet, `network ${networkName}: subnet`)
    return { family: cidr.family, cidr, spec }
  }
  if (spec.gateway !== undefined || spec.ipRange !== undefined || Object.keys(spec.auxiliaryAddresses ?? {}).length > 0)
    throw networkError(
      'network.invalid',
      `network ${networkName}: a gateway, an address range or auxiliary addresses need a subnet`,
    )
  return { family: 4, cidr: undefined, spec }
}

function automaticSubnet(family: 4 | 6, { networkName, pools, taken }: SubnetPlanInput): Subnet {
  const chosen = chooseSubnet(
    pools[family],
    taken.map(({ cidr }) => cidr),
  )
  if (chosen === undefined)
    throw networkError(
      'network.pools_exhausted',
      `network ${networkName}: all predefined address pools have been fully subnetted; no IPv${family} subnet is left in ${pools[family].map(describePool).join(', ')}`,
      {
        hint: 'Remove unused networks (docker network prune), or name a subnet yourself (--subnet).',
      },
    )
  return {
    family,
    subnet: formatCidr(chosen),
    gateway: formatIp(family, chosen.base + 1n),
    ipRange: null,
    auxiliaryAddresses: {},
    isAutomatic: true,
  }
}

function describePool({ first, prefixLength, count }: DefaultPool): string {
  return `${count} networks of /${prefixLength} from ${first}`
}

function explicitSubnet(cidr: Cidr, spec: SubnetSpec, { networkName, taken }: SubnetPlanInput): Subnet {
  const text = formatCidr(cidr)
  const what = `network ${networkName}: subnet ${text}`
  const [least, most] = [MIN_PREFIX_LENGTH[cidr.family], MAX_PREFIX_LENGTH[cidr.family]]
  if (cidr.prefixLength < least || cidr.prefixLength > most)
    throw networkError('network.invalid', `${what}: the prefix length must be between ${least} and ${most}`)
  const conflict = taken.find((other) => overlaps(other.cidr, cidr))
  if (conflict !== undefined)
    throw networkError(
      'network.subnet_in_use',
      `Pool overlaps with other one on this address space: ${what} overlaps ${formatCidr(conflict.cidr)} of ${conflict.owner}`,
      {
        hint: 'Choose another subnet, or leave it out to get a free one.',
      },
    )
  const range = spec.ipRange === undefined || spec.ipRange === '' ? undefined : parseCidr(spec.ipRange, `${what}: address range`)
  if (range !== undefined && !contains(cidr, range))
    throw networkError('network.invalid', `${what}: the address range ${formatCidr(range)} lies outside`)
  const inside = (address: string, role: string) => {
    const { family, value } = parseIp(address, `${what}: ${role}`)
    if (family !== cidr.family || !isUsable(cidr, value))
      throw networkError('network.invalid', `${what}: ${role} ${address} is not a host address in it`)
    return formatIp(family, value)
  }
  const auxiliary = Object.entries(spec.auxiliaryAddresses ?? {}).map(([name, address]) => [
    name,
    inside(address, `auxiliary address ${name}`),
  ])
  return {
    family: cidr.family,
    subnet: text,
    gateway:
      spec.gateway === undefined || spec.gateway === '' ? formatIp(cidr.family, cidr.base + 1n) : inside(spec.gateway, 'gateway'),
    ipRange: range === undefined ? null : formatCidr(range),
    auxiliaryAddresses: Object.fromEntries(auxiliary),
    isAutomatic: false,
  }
}

/** Neither the network itself nor (IPv4) its broadcast address. */
function isUsable(cidr: Cidr, address: bigint): boolean {
  if (!includes(cidr, address) || address === cidr.base) return false
  return cidr.family === 6 || address !== cidr.base + sizeOf(cidr) - 1n
}

/** More addresses than this are not looked at in one search: an IPv6 subnet has no end. */
const MAX_SEARCH = 1_048_576n

/**
 * The next free address after `cursor`, going round once. Going on instead of filling the first gap keeps an address that was just
 * given back out of use a while, so that nobody's stale connection or cached name meets another container.
 */
export function nextAddress(subnet: Subnet, used: ReadonlySet<bigint>, cursor: bigint | undefined): bigint | undefined {
  const whole = parseCidr(subnet.subnet, 'subnet')
  const range = subnet.ipRange === null ? whole : parseCidr(subnet.ipRange, 'address range')
  const reserved = reservedAddresses(subnet)
  const size = sizeOf(range)
  const start = cursor !== undefined && includes(range, cursor) ? cursor - range.base + 1n : 0n
  const steps = size < MAX_SEARCH ? size : MAX_SEARCH
  for (let step = 0n; step < steps; step += 1n) {
    const address = range.base + ((start + step) % size)
    if (isUsable(whole, address) && !used.has(address) && !reserved.has(address)) return address
  }
  return undefined
}

/** Checks an address that the user asked for. */
export function wantedAddress(subnet: Subnet, text: string, used: ReadonlySet<bigint>, networkName: string): bigint {
  const what = `network ${networkName}`
  const { family, value } = parseIp(text, `${what}: address`)
  const whole = parseCidr(subnet.subnet, 'subnet')
  if (family !== subnet.family || !isUsable(whole, value))
    throw networkError('network.invalid', `${what}: ${text} is not a host address in ${subnet.subnet}`)
  if (used.has(value) || reservedAddresses(subnet).has(value))
    throw networkError('network.address_in_use', `Address already in use: ${what}: ${text} is taken`)
  return value
}

function reservedAddresses(subnet: Subnet): ReadonlySet<bigint> {
  const texts = [subnet.gateway, ...Object.values(subnet.auxiliaryAddresses)].filter((text) => text !== '')
  return new Set(texts.map((text) => parseIp(text, 'reserved address').value))
}

/** Docker's scheme: a MAC of its own for each IPv4 address, so that a container that comes back does not confuse its neighbours. */
export function macOfIpv4(address: bigint): string {
  return `02:42:${address.toString(16).padStart(8, '0').match(/../g)?.join(':') ?? ''}`
}
