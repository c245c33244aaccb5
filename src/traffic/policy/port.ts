/** Where the loop learns who there is and what is allowed. Whoever runs the applications implements it. */
export interface PolicySource {
  stacks(): Promise<readonly PolicedStack[]>
  /** Called whenever `stacks` may answer differently; `changed` does not throw. */
  listen(changed: () => void): Disposable
}

/** One application. Containers that belong to none are judged by their networks alone. */
export interface PolicedStack {
  /** Empty: of what belongs to none. */
  readonly name: string
  /** Services that belong to no application, each for itself: nothing of them is judged, and they are here to be told of. Absent: false. */
  readonly isLoose?: boolean
  readonly rules: PolicyRules
  /** All that its services are in. */
  readonly networks: readonly PolicedNetwork[]
  readonly services: readonly PolicedService[]
}

export interface PolicedNetwork {
  /** Its name inside the application, as rules have it. */
  readonly key: string
  readonly name: string
  /** Link of the host. */
  readonly bridge: string
  readonly subnets: readonly string[]
  /** The host's own addresses in it. */
  readonly gateways: readonly string[]
}

export interface PolicedService {
  readonly name: string
  /** Names of those that its tasks are to join. Absent: those that they are in. */
  readonly networks?: readonly string[]
  readonly tasks: readonly PolicedTask[]
}

export interface PolicedTask {
  readonly name: string
  /** Of both families, by the network's name; of each task that has any, ready or not: it can talk before anybody may talk to it. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
}

/** Who may open connections to whom. What is talked to decides. */
export interface PolicyRules {
  /** `deny`: also between services of this application only what a rule allows. A service may always talk to its own tasks. */
  readonly inside: 'allow' | 'deny'
  readonly allow: readonly AllowRule[]
  readonly egress: readonly EgressRule[]
  readonly isLogged: boolean
}

export interface AllowRule {
  /** `web`: a service of this application; `shop/web`: of another; `shop/*`: all of it; `*`: every application. */
  readonly from: readonly string[]
  /** Services of this application; empty: all. */
  readonly to: readonly string[]
  /** Empty: every port, and protocols without ports. */
  readonly ports: readonly PortRange[]
}

export interface PortRange {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly first: number
  readonly last: number
}

export interface EgressRule {
  /** Key of a network. */
  readonly network: string
  readonly outside: 'allow' | 'deny'
  /** The other way round. */
  readonly except: readonly { readonly to: string; readonly ports: readonly PortRange[] }[]
}

/** What an application without rules has. */
export const PLAIN_RULES: PolicyRules = { inside: 'allow', allow: [], egress: [], isLogged: false }

/** A connection that was tried and refused. */
export interface RefusedAttempt {
  readonly from: string
  readonly to: string
  /** `tcp`, `udp`, `icmp`, or a number. */
  readonly protocol: string
  /** 0 where the protocol has none. */
  readonly port: number
  readonly packets: number
}
