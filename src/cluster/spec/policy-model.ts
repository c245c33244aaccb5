/** How the name of a service is answered. `vip`: with one address behind which the kernel spreads; `dnsrr`: with the addresses of all ready tasks. */
export type EndpointMode = 'vip' | 'dnsrr'

/**
 * Who may open connections to whom. What is talked to decides: a stack says who may come to its services, and none can let itself into
 * another. Without a word of it, everything inside a stack may talk, nothing else may come, and all may go outside. In a Compose file, at the top:
 *
 *     x-glovebox:
 *       policy:
 *         inside: deny
 *         allow:
 *           - { from: [web, shop/*], to: db, ports: [5432, 53/udp, 8000-8010] }
 *         egress:
 *           back: deny
 *           front: { outside: deny, except: [{ to: 203.0.113.0/24, ports: 443 }] }
 *         log: true
 */
export interface PolicySpec {
  /** `deny`: also between services of this stack only what a rule allows. A service may always talk to its own tasks. */
  readonly inside: 'allow' | 'deny'
  readonly allow: readonly AllowRuleSpec[]
  /** At most one for each network of the stack. */
  readonly egress: readonly EgressSpec[]
  /** Refused attempts at this stack's services, and theirs to go outside, are written to the kernel's log, some a second. */
  readonly isLogged: boolean
}

/** Lets connections in. */
export interface AllowRuleSpec {
  /** `web`: a service of this stack; `shop/web`: of another; `shop/*`: all of it; `*`: every stack. Never empty. */
  readonly from: readonly string[]
  /** Names of services of this stack; empty: all. */
  readonly to: readonly string[]
  /** Empty: every port, and protocols without ports. */
  readonly ports: readonly PolicyPortSpec[]
}

export interface PolicyPortSpec {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** Both included. */
  readonly first: number
  readonly last: number
}

/** The way out, for tasks of this stack through one of its networks. */
export interface EgressSpec {
  /** Key in `StackSpec.networks`. */
  readonly network: string
  readonly outside: 'allow' | 'deny'
  /** What is the other way round: allowed although the rest is not, or denied although the rest is allowed. */
  readonly except: readonly EgressExceptionSpec[]
}

export interface EgressExceptionSpec {
  /** `203.0.113.0/24`, `2001:db8::/32`, or a single address. */
  readonly to: string
  /** Empty: every port, and protocols without ports. */
  readonly ports: readonly PolicyPortSpec[]
}
