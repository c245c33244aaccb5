import type { RouteRule } from '#cluster/spec'

/** What the cluster needs of a router. */
export interface RoutePort {
  /** The full list of what is wanted. Applies what it can; routes that cannot be served are in the answer, with the reason. */
  apply(routes: readonly RouteSpec[]): Promise<readonly RouteFailure[]>
  /** Open connections by backend id; a backend that it does not know is absent. */
  connections(): Promise<ReadonlyMap<string, number>>
  /** A TCP port that nobody listens on at this moment. */
  freePort(hostIp: string): Promise<number>
}

export interface RouteSpec {
  /** `stack/service/8080`: stays the same while the service lives. */
  readonly id: string
  /** Empty: every IPv4 address of the host. */
  readonly hostIp: string
  readonly hostPort: number
  readonly mode: 'tcp' | 'http'
  readonly backends: readonly RouteBackend[]
  /**
   * Parts of the requests by group of backends, whatever their numbers: revisions of a service, targets of a route. A group without a ready backend leaves its
   * part to the others. Absent: every backend is as good as the next.
   */
  readonly groups?: readonly RouteGroup[]
  /** What the user said of it; absent: all that comes to the port, as `PLAIN_RULE`. Routes with rules may have one port together. */
  readonly rule?: RouteRule
}

export interface RouteGroup {
  readonly name: string
  /** Against those of the others, not below 0. */
  readonly share: number
}

export interface RouteBackend {
  /** The task's name. */
  readonly id: string
  /** IPv4 or IPv6; or the name of a host, which the router looks up and keeps up to date. */
  readonly address: string
  readonly port: number
  /** `draining`: keeps its connections and gets no new ones. */
  readonly state: 'ready' | 'draining'
  /** Name of a group of the route. Its figures are counted under it too. */
  readonly group?: string
}

export interface RouteFailure {
  readonly id: string
  readonly reason: string
}
