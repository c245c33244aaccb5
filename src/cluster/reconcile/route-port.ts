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
}

export interface RouteBackend {
  /** The task's name. */
  readonly id: string
  readonly address: string
  readonly port: number
  /** `draining`: keeps its connections and gets no new ones. */
  readonly state: 'ready' | 'draining'
}

export interface RouteFailure {
  readonly id: string
  readonly reason: string
}
