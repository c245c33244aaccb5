import type { Clock, ContainerId, Log, Random, RecordStore } from '#base'
import type { Host } from '#host'

import type { DefaultPool } from './address-pool.ts'
import type { Bridges } from './bridges.ts'
import type { Firewall } from './firewall.ts'
import type { NameService } from './name-service.ts'
import type { InstanceNames } from './names.ts'
import type { Parents } from './parents.ts'
import type { PortHolders } from './port-holders.ts'
import type { Plugs } from './plugs.ts'
import type { Network } from './port.ts'
import type { Reservations } from './reservations.ts'
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
  readonly host: Pick<Host, 'namespaces' | 'links' | 'nftables' | 'netfilter' | 'forwarding' | 'sockets' | 'kernel'>
  /** Where subnets come from when the user names none; a family without any has our own. */
  readonly addressPools?: readonly DefaultPool[]
  /** Told what happens to networks: `create`, `destroy`. */
  readonly onEvent?: (action: 'create' | 'destroy', network: Network) => void
  /** Somebody answers for services, soon after the start: names wait for `answerServices`, some seconds at most. Default false. */
  readonly awaitsServices?: boolean
  /** The host's resolver configuration, default /etc/resolv.conf. */
  readonly readResolvConf?: () => string
}

/** The needs and what the module's own parts share. */
export interface Context extends Omit<NetworksNeeds, 'readResolvConf'> {
  readonly names: InstanceNames
  readonly state: NetworkState
  readonly firewall: Firewall
  readonly bridges: Bridges
  readonly parents: Parents
  readonly nameService: NameService
  readonly holders: PortHolders
  readonly reservations: Reservations
  readonly plugs: Plugs
  readonly pinOf: (containerId: ContainerId) => string
  readonly readResolvConf: () => string
}
