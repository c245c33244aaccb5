import { BlockList, isIP } from 'node:net'

import type { PlacementConstraint } from '#cluster/spec'

import { architectureOf, attributeOf, isOwnToEach } from './attributes.ts'
import type { SchedulableNode } from './port.ts'

export interface Constraint {
  /** `node.labels.zone == a`. */
  readonly text: string
  readonly key: string
  readonly isOwnToEach: boolean
  holds(node: SchedulableNode): boolean
  /** What the node has instead, for people. */
  found(node: SchedulableNode): string
}

/** Values are compared whole and without regard to case, as swarm mode does; a label that a node lacks equals nothing, and differs from everything. */
export function constraintOf({ key, operator, value }: PlacementConstraint): Constraint {
  const attribute = attributeOf(key)
  const isEqual = equalityOf(key, value)
  const isWanted = operator === '=='
  return {
    text: `${key} ${operator} ${value}`,
    key,
    isOwnToEach: isOwnToEach(key),
    holds: (node) => {
      const found = attribute?.(node)
      return (found !== undefined && isEqual(found)) === isWanted
    },
    found: (node) => attribute?.(node) || 'none',
  }
}

function equalityOf(key: string, value: string): (found: string) => boolean {
  const lower = value.toLowerCase()
  switch (key.toLowerCase()) {
    case 'node.platform.arch':
      return (found) => architectureOf(found) === architectureOf(value)
    case 'node.ip':
      return addressMatch(value)
    default:
      return (found) => found.toLowerCase() === lower
  }
}

/** One address, or a network such as `10.0.0.0/8`. */
function addressMatch(value: string): (found: string) => boolean {
  const [address = '', bits] = value.split('/')
  const family = isIP(address)
  if (family === 0) return (found) => found === value
  const block = new BlockList()
  const familyName = family === 6 ? 'ipv6' : 'ipv4'
  const prefix = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits)
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32)) return (found) => found === value
  block.addSubnet(address, prefix, familyName)
  return (found) => {
    const foundFamily = isIP(found)
    return foundFamily !== 0 && block.check(found, foundFamily === 6 ? 'ipv6' : 'ipv4')
  }
}
