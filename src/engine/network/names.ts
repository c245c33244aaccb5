import { createHash } from 'node:crypto'

/** Names of the kernel objects of one instance. Several daemons on one machine tell their own by the six digits within. */
export interface InstanceNames {
  readonly digits: string
  /** nft table, family inet. */
  readonly table: string
  /** Every bridge of ours begins with it. */
  readonly bridgePrefix: string
  /** Every host end of a container's link begins with it. */
  readonly linkPrefix: string
  bridge(networkId: string): string
  hostLink(endpointId: string): string
}

export function instanceNames(instance: string): InstanceNames {
  const digest = createHash('sha256').update(instance).digest('hex')
  const digits = digest.slice(0, 6)
  return {
    digits: digest.slice(0, 10),
    table: `glovebox_${digits}`,
    bridgePrefix: `gb-${digits}-`,
    linkPrefix: `gv${digits}`,
    bridge: (networkId) => `gb-${digits}-${networkId.slice(0, 4)}`,
    // 15 bytes, the most that a link's name has.
    hostLink: (endpointId) => `gv${digits}${endpointId.slice(0, 7)}`,
  }
}
