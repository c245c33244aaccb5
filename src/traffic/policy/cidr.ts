import { isIP, isIPv6 } from 'node:net'

export interface Subnet {
  readonly family: 4 | 6
  readonly base: bigint
  readonly prefixLength: number
}

const BITS = { 4: 32, 6: 128 } as const

/** `203.0.113.0/24` or a single address; bits behind the prefix are cleared. Undefined: neither. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address = '', length] = text.split('/')
  const family = isIP(address)
  if ((family !== 4 && family !== 6) || address.includes('%')) return undefined
  const prefixLength = length === undefined ? BITS[family] : Number(length)
  const hostBits = BigInt(BITS[family] - prefixLength)
  return { family, base: (numberOf(address) >> hostBits) << hostBits, prefixLength }
}

export function subnetContains(outer: Subnet, inner: Subnet): boolean {
  if (outer.family !== inner.family || outer.prefixLength > inner.prefixLength) return false
  const hostBits = BigInt(BITS[outer.family] - outer.prefixLength)
  return inner.base >> hostBits === outer.base >> hostBits
}

export function familyOf(address: string): 4 | 6 {
  return isIPv6(address) ? 6 : 4
}

/** With its prefix, in the plainest form there is. */
export function formatSubnet({ family, base, prefixLength }: Subnet): string {
  const digits = base.toString(16).padStart(BITS[family] / 4, '0')
  const address =
    family === 4
      ? (digits.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.')
      : (digits.match(/..../g) ?? []).join(':')
  return `${address}/${prefixLength}`
}

function numberOf(address: string): bigint {
  if (!isIPv6(address)) return address.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const [head = '', tail] = withoutDots(address).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

/** `::ffff:192.0.2.1` (RFC 4291 section 2.2): the last two groups may be an IPv4 address. */
function withoutDots(address: string): string {
  const at = address.lastIndexOf(':') + 1
  const last = address.slice(at)
  if (!last.includes('.')) return address
  const value = numberOf(last)
  return `${address.slice(0, at)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}
