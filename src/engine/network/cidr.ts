import { isIP } from 'node:net'

import { formatAddress, parseAddress } from '#host'

import { networkError } from './errors.ts'

/** A range of addresses that share their first bits. `base` has zeros behind them. */
export interface Cidr {
  readonly family: 4 | 6
  readonly base: bigint
  readonly prefixLength: number
}

export function addressBits(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

/** An address as a number. `what` begins the message when it is none. */
export function parseIp(text: string, what: string): { readonly family: 4 | 6; readonly value: bigint } {
  const family = isIP(text)
  if ((family !== 4 && family !== 6) || text.includes('%'))
    throw networkError('network.invalid', `${what}: ${JSON.stringify(text)} is not an IP address`)
  return { family, value: BigInt(`0x${parseAddress(text).toString('hex')}`) }
}

export function formatIp(family: 4 | 6, value: bigint): string {
  const digits = addressBits(family) / 4
  return formatAddress(Buffer.from(value.toString(16).padStart(digits, '0'), 'hex'))
}

/** Reads `172.18.0.0/16`; bits behind the prefix are cleared, as `ip route` and Docker do. */
export function parseCidr(text: string, what: string): Cidr {
  const slash = text.indexOf('/')
  const { family, value } = parseIp(slash < 0 ? text : text.slice(0, slash), what)
  const prefix = slash < 0 ? '' : text.slice(slash + 1)
  const prefixLength = Number(prefix)
  if (!/^\d{1,3}$/.test(prefix) || prefixLength > addressBits(family))
    throw networkError('network.invalid', `${what}: ${JSON.stringify(text)} has no prefix length up to ${addressBits(family)}`, {
      hint: 'Write an address and a prefix length, such as 172.28.0.0/16.',
    })
  return cidrAt(family, value, prefixLength)
}

export function cidrAt(family: 4 | 6, address: bigint, prefixLength: number): Cidr {
  const hostBits = BigInt(addressBits(family) - prefixLength)
  return { family, base: (address >> hostBits) << hostBits, prefixLength }
}

export function formatCidr({ family, base, prefixLength }: Cidr): string {
  return `${formatIp(family, base)}/${prefixLength}`
}

export function sizeOf({ family, prefixLength }: Cidr): bigint {
  return 1n << BigInt(addressBits(family) - prefixLength)
}

export function contains(outer: Cidr, inner: Cidr): boolean {
  return outer.family === inner.family && inner.prefixLength >= outer.prefixLength && includes(outer, inner.base)
}

export function includes(range: Cidr, address: bigint): boolean {
  return address >= range.base && address < range.base + sizeOf(range)
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return contains(a, b) || contains(b, a)
}
