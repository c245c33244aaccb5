import type { CgroupPort } from './port-cgroups.ts'
import type { FilePort } from './port-files.ts'
import type { ForwardingPort } from './port-forwarding.ts'
import type { NetfilterPort } from './port-netfilter.ts'
import type { LinkPort, NamespacePort, NftablesPort, SocketPort } from './port-network.ts'
import type { KernelPort, ProcessPort } from './port-processes.ts'
import type { MountPort } from './port-mounts.ts'

/**
 * Everything the house asks of Linux. A synchronous method costs less than half a millisecond on an idle machine;
 * whatever may wait (nft, RCU, a busy cgroup) returns a promise. Every failure is a `host.*` error that carries
 * the errno name in `details.errno` and the paths in its message.
 */
export interface Host {
  readonly mounts: MountPort
  readonly namespaces: NamespacePort
  readonly links: LinkPort
  readonly nftables: NftablesPort
  readonly netfilter: NetfilterPort
  readonly forwarding: ForwardingPort
  readonly cgroups: CgroupPort
  readonly processes: ProcessPort
  readonly files: FilePort
  readonly sockets: SocketPort
  readonly kernel: KernelPort
  /** Ends what the host keeps running for itself (the parked helper of `cgroups.warm`). Idempotent. */
  [Symbol.dispose](): void
}
