/**
 * What other firewalls of the host (tables of iptables, with either of its backends) do to packets that are forwarded. An accept in a table of
 * our own does not override their drop.
 */
export interface ForwardingPort {
  /** The chain of each family and backend where rules of others belong; none where iptables was never used. Runs programs. */
  chains(): Promise<readonly ForwardChain[]>
  /** Accepts what enters or leaves by these links; a name may end with `*`. Rules that are there already are not added again. */
  allow(chain: ForwardChain, links: readonly string[]): Promise<void>
  /** Takes such rules away; absent ones are fine. */
  disallow(chain: ForwardChain, links: readonly string[]): Promise<void>
}

export interface ForwardChain {
  readonly family: 4 | 6
  readonly backend: 'nft' | 'legacy'
  /** Docker's chain for the rules of others stands before its own drop; without a Docker it is FORWARD itself. */
  readonly name: 'DOCKER-USER' | 'FORWARD'
  /** What no rule accepts is dropped. */
  readonly isDrop: boolean
  /** Links that `allow` was called for. */
  readonly allowed: readonly string[]
}
