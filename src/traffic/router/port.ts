import type { RouteRule } from '#cluster/spec'

/** Traffic from ports of the host to tasks. One HAProxy for all routes of this daemon; it goes on when the daemon is gone. */
export interface Router extends AsyncDisposable {
  /** The full list of what is wanted. Serves what it can; the others are in the answer, each with the reason. Idempotent. Errors: `route.haproxy_silent`: say it again. */
  apply(routes: readonly Route[]): Promise<readonly RouteFailure[]>
  /**
   * The process behind a backend has ended: nothing is sent there from now on, in whatever route it is, until `apply` is told without it; it does not come back. `id` and those
   * that begin with it and a dot. Never rejects.
   */
  withdraw(id: string): Promise<void>
  /** Open connections by backend id. */
  connections(): Promise<ReadonlyMap<string, number>>
  /** A TCP port that nobody listens on at this moment. */
  freePort(hostIp: string): Promise<number>
  status(): Promise<RouterStatus>
  /** What is served and what is not, with what the proxy says of it. */
  routes(): Promise<readonly RouteStatus[]>
  /**
   * Requests of a route are spread by these shares from now on, whatever `groups` of the route says; it holds over restarts, until the route is gone
   * or `shares` is null. Errors: `route.not_found`, `route.invalid` for a group that the route does not have.
   */
  shift(routeId: string, shares: Readonly<Record<string, number>> | null): Promise<RouteStatus>
  readonly metrics: RouteMetrics
  /** Finds the proxy that an earlier daemon left behind, and watches over it. True: there was one. */
  recover(): Promise<boolean>
  /** Ends the proxy and removes its files. */
  stop(): Promise<void>
}

export interface Route {
  readonly id: string
  /** Empty: every address of the host. */
  readonly hostIp: string
  readonly hostPort: number
  /** `http`: requests that are safe to repeat are repeated on another backend. */
  readonly mode: 'tcp' | 'http'
  readonly backends: readonly Backend[]
  /**
   * Parts of the requests by group of backends, whatever their numbers; several are served by round robin, whatever the rule's `balance`. A group without a ready backend leaves its part to the others.
   * Absent: every backend is as good as the next.
   */
  readonly groups?: readonly BackendGroup[]
  /** Absent: all that comes to the port, and `PLAIN_RULE`. Routes with rules may have one port together. */
  readonly rule?: RouteRule
}

/** Tasks of one revision, or one target that is no task. */
export interface BackendGroup {
  readonly name: string
  /** Against those of the other groups; not below 0. */
  readonly share: number
}

export interface Backend {
  /** Letters, digits and `_.-`. */
  readonly id: string
  /** IPv4 or IPv6; or the name of a host, whose address is looked up and kept up to date. */
  readonly address: string
  readonly port: number
  /** `draining`: keeps its connections and gets no new ones. */
  readonly state: 'ready' | 'draining'
  /** Name of a group of the route; absent: of none, and counted under an empty name. */
  readonly group?: string
}

export interface RouteFailure {
  readonly id: string
  readonly reason: string
}

export interface RouterStatus {
  readonly isRunning: boolean
  /** Of the master process; null when not running. */
  readonly pid: number | null
  readonly servers: readonly ProxyServer[]
}

/** One route as it is, for people and machines. */
export interface RouteStatus {
  readonly id: string
  readonly mode: 'tcp' | 'http'
  readonly hostIp: string
  readonly hostPort: number
  readonly hosts: readonly string[]
  readonly path: string
  /** How TLS is ended here: `own`, `acme`, `files`; null: not at all. */
  readonly certificate: string | null
  /** Why it is not served, or not wholly (a certificate that is not there yet); null: all is well. */
  readonly problem: string | null
  /** By hand, through `shift`. */
  readonly isShifted: boolean
  readonly groups: readonly BackendGroup[]
  readonly backends: readonly BackendStatus[]
}

export interface BackendStatus {
  readonly id: string
  readonly address: string
  readonly port: number
  readonly group: string
  readonly state: 'ready' | 'draining' | 'maintenance'
  readonly isUp: boolean
  /** Of the route's new requests, from 0 to 1. */
  readonly share: number
  readonly connections: number
}

/** A backend as HAProxy sees it. */
export interface ProxyServer {
  /** Name of its section. */
  readonly section: string
  readonly id: string
  readonly address: string
  readonly port: number
  readonly state: 'ready' | 'draining' | 'maintenance'
  /** The last connection attempt to it succeeded. */
  readonly isUp: boolean
  /** So long it is up, or not: whole seconds. */
  readonly unchangedMs: number
  readonly connections: number
  readonly weight: number
}

/** What the routes did, counted since this daemon looks at them. For judging a canary, read twice and take `metricsBetween`. */
export interface RouteMetrics {
  read(): Promise<readonly BackendMetrics[]>
}

/** Of one backend of a route. Those without a backend (`backendId` empty) are what the route answered by itself: refusals, and 503 while nobody was there. */
export interface BackendMetrics {
  readonly routeId: string
  readonly group: string
  readonly backendId: string
  readonly counts: MetricCounts
  readonly latency: Histogram
  /** Requests that wait for it now. Absent: not told. */
  readonly queued?: number
}

/** Each only grows. */
export interface MetricCounts {
  /** Of `tcp`: connections. */
  readonly requests: number
  readonly responses2xx: number
  readonly responses3xx: number
  readonly responses4xx: number
  readonly responses5xx: number
  readonly otherResponses: number
  /** Connections that failed, and requests that got no answer or half of one. */
  readonly failures: number
  /** Attempts that went on to another backend. */
  readonly redispatches: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/**
 * Milliseconds from the request's head at the backend to the answer's. HAProxy counts whole milliseconds and tells of a sample where there are many
 * requests; each that was told of counts for those that were not. Fixed buckets: `counts[n]` is of those up to `LATENCY_BOUNDS_MS[n]`, and the last of those above.
 */
export interface Histogram {
  readonly counts: readonly number[]
  /** How many requests were looked at; the sum of `counts` is how many they stand for. */
  readonly samples: number
}

/** Processes that live longer than the daemon. */
export interface ProcessPort {
  /** Starts a process in its own session, its output appended to `logPath`. Gives back its pid. Errors: as Node's spawn. */
  spawn(command: string, args: readonly string[], logPath: string): Promise<number>
  /** Whether the pid lives and has `mark` among its arguments: pids are used again. */
  isAlive(pid: number, mark: string): boolean
  /** Gone already: fine. */
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 'SIGUSR2'): void
}
