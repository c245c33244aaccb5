import { BlockList, isIPv6 } from 'node:net'

/**
 * Addresses that no build may ask through the daemon: this machine, its link (where clouds serve their metadata and credentials), and those
 * that name nobody. Private networks are not among them: mirrors live there.
 */
export function createAddressGuard(): { isRefused(address: string): boolean } {
  const list = new BlockList()
  for (const [net, prefix] of V4) list.addSubnet(net, prefix, 'ipv4')
  for (const [net, prefix] of V6) list.addSubnet(net, prefix, 'ipv6')
  const isRefused = (address: string): boolean => {
    if (!isIPv6(address)) return list.check(address, 'ipv4')
    const inner = embeddedV4(address)
    return list.check(address, 'ipv6') || (inner !== undefined && list.check(inner, 'ipv4'))
  }
  return { isRefused }
}

const V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  // Metadata services outside the link: Alibaba, Oracle.
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

const V6: readonly (readonly [string, number])[] = [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  // The metadata service of AWS.
  ['fd00:ec2::254', 128],
]

/** The address of the older family that one of the newer carries: mapped, compatible, 6to4 and translated ones (RFC 4291, 3056, 6052). */
function embeddedV4(address: string): string | undefined {
  const groups = groupsOf(address)
  const at = (index: number) => groups[index] ?? 0
  const v4 = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join('.')
  const isZero = (count: number) => groups.slice(0, count).every((group) => group === 0)
  if (isZero(5) && (at(5) === 0xffff || at(5) === 0)) return v4(at(6), at(7))
  if (isZero(4) && at(4) === 0xffff && at(5) === 0) return v4(at(6), at(7))
  if (at(0) === 0x64 && at(1) === 0xff9b) return v4(at(6), at(7))
  return at(0) === 0x2002 ? v4(at(1), at(2)) : undefined
}

/** The eight groups of an address that is one. */
function groupsOf(address: string): readonly number[] {
  const plain = address
    .replace(/%.*$/, '')
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) => {
      const group = (high: string, low: string) => ((Number(high) << 8) | Number(low)).toString(16)
      return `${group(a, b)}:${group(c, d)}`
    })
  const [head = '', tail] = plain.split('::')
  const read = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [front, back] = [read(head), read(tail ?? '')]
  return tail === undefined ? front : [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back]
}
