import type { Clock, ContainerId, Log, Random, RecordStore } from '#base'
import type { Host } from '#host'

import type { Bridges } from './bridges.ts'
import type { Firewall } from './firewall.ts'
import type { NameService } from './name-service.ts'
import type { InstanceNames } from './names.ts'
import type { PortHolders } from './port-holders.ts'
import type { NetworkState } from './state.ts'

/** What networks need of the rest of the engine. */
export interface NetworksNeeds {
  /** What a reboot may take: pins of network namespaces are in `netns/` below it. */
  readonly runDir: string
  /** Name of the instance, in every kernel object. */
  readonly instance: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly records: RecordStore
  readonly host: Pick<Host, 'namespaces' | 'links' | 'nftables' | 'sockets' | 'kernel'>
  /** The host's resolver configuration, default /etc/resolv.conf. */
  readonly readResolvConf?: () => string
}

/** The needs and what the module's own parts share. */
export interface Context extends Omit<NetworksNeeds, 'readResolvConf'> {
  readonly names: InstanceNames
  readonly state: NetworkState
  readonly firewall: Firewall
  readonly bridges: Bridges
  readonly nameService: NameService
  readonly holders: PortHolders
  readonly pinOf: (containerId: ContainerId) => string
  readonly readResolvConf: () => string
}
