import { isIP } from 'node:net'

import { hostError } from './errors.ts'

export interface PrefixedAddress {
  readonly family: 4 | 6
  /** 4 or 16 bytes. */
  readonly bytes: Buffer
  readonly prefixLength: number
}

export const AF = { inet: 2, bridge: 7, inet6: 10 } as const

export function addressFamily(family: 4 | 6): number {
  return family === 4 ? AF.inet : AF.inet6
}

/** Reads `172.18.0.1/16` or `fd00::1/64`; without a prefix the address stands for itself alone. */
export function parsePrefixed(text: string): PrefixedAddress {
  const [address = '', prefix] = text.split('/', 2)
  const bytes = parseAddress(address)
  const longest = bytes.length * 8
  const prefixLength = prefix === undefined ? longest : Number(prefix)
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > longest || prefix === '')
    throw hostError('host.address_not_available', `${JSON.stringify(text)} has no prefix length between 0 and ${longest}`)
  return { family: bytes.length === 4 ? 4 : 6, bytes, prefixLength }
}

/** 4 or 16 bytes in network order. */
export function parseAddress(text: string): Buffer {
  const kind = isIP(text)
  if (kind === 4) return Buffer.from(text.split('.').map(Number))
  if (kind === 6 && !text.includes('%')) return parseIpv6(text)
  throw hostError('host.address_not_available', `${JSON.stringify(text)} is not an IP address`)
}

function parseIpv6(text: string): Buffer {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const plain =
    dotted === null
      ? text
      : text.slice(0, dotted.index) +
        [0, 2].map((at) => ((Number(dotted[at + 1]) << 8) | Number(dotted[at + 2])).toString(16)).join(':')
  const [head = '', tail] = plain.split('::', 2)
  const groupsOf = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
  const bytes = Buffer.alloc(16)
  groups.forEach((group, at) => bytes.writeUInt16BE(group, at * 2))
  return bytes
}

/** The canonical text of RFC 5952. */
export function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16))
  const zeros = [
    ...groups
      .map((group) => (group === '0' ? '0' : '.'))
      .join('')
      .matchAll(/0{2,}/g),
  ]
  const longest = zeros.reduce((best, run) => (run[0].length > best.length ? { at: run.index, length: run[0].length } : best), {
    at: 0,
    length: 0,
  })
  if (longest.length === 0) return groups.join(':')
  return `${groups.slice(0, longest.at).join(':')}::${groups.slice(longest.at + longest.length).join(':')}`
}

export function parseMac(text: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text))
    throw hostError('host.address_not_available', `${JSON.stringify(text)} is not a MAC address`)
  return Buffer.from(text.replaceAll(':', ''), 'hex')
}

export function formatMac(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}
