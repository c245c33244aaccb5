/** What is asked of netfilter too often, or too early in a container's life, to start nft(8) for it. */
export interface NetfilterPort {
  /**
   * Inside a namespace, what programs there send to `address` and `from` (TCP and UDP) arrives at `udpPort` and `tcpPort` of the same
   * address. Replaces an earlier redirection of the same name, as one transaction. While nobody listens, UDP queries vanish
   * instead of being refused, so that whoever asks tries again.
   */
  redirectLocal(options: LocalRedirection): void
  /** Forgets tracked connections (all or those of one kind); gives how many there were. */
  forgetConnections(filter: ConnectionFilter): number
}

export interface LocalRedirection {
  readonly netnsPin: string
  /** Name of the table of family `ip` that is made for it. */
  readonly table: string
  /** IPv4 literal. */
  readonly address: string
  readonly from: number
  readonly udpPort: number
  readonly tcpPort: number
}

/** All that is given must fit; of a list one suffices. With a single address or port the kernel does the looking through. */
export interface ConnectionFilter {
  readonly family: 4 | 6
  /** The addresses that answer: where packets were really sent on to. */
  readonly repliesFrom: readonly string[]
  /** Where the first packet was sent to; without ports: to any. */
  readonly to?: { readonly protocol: 'tcp' | 'udp' | 'sctp'; readonly ports: readonly number[] }
}
