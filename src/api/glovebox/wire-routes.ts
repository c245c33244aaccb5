/** One route as it is. */
export interface WireRoute {
  readonly id: string
  readonly mode: 'tcp' | 'http'
  /** Empty: every address of the host. */
  readonly hostIp: string
  readonly hostPort: number
  /** Empty: any. */
  readonly hosts: readonly string[]
  /** A prefix; with `=` before it, exactly this one. */
  readonly path: string
  /** How TLS is ended here: `own`, `acme`, `files`; null: not at all. */
  readonly certificate: string | null
  /** Why it is not served, or not wholly; null: all is well. */
  readonly problem: string | null
  /** Its shares were set by hand. */
  readonly isShifted: boolean
  /** Shares count against each other. */
  readonly groups: readonly { readonly name: string; readonly share: number }[]
  readonly backends: readonly WireBackend[]
}

export interface WireBackend {
  readonly id: string
  readonly address: string
  readonly port: number
  /** Its revision, or the target that it is. */
  readonly group: string
  readonly state: 'ready' | 'draining' | 'maintenance'
  readonly isUp: boolean
  /** Of the route's new requests, from 0 to 1. */
  readonly share: number
  readonly connections: number
}

/** A route with what it did since the daemon looks at it, by group; the empty group is what the route answered by itself. */
export interface WireRouteDetail extends WireRoute {
  readonly figures: readonly WireRouteFigures[]
}

export interface WireRouteFigures {
  readonly group: string
  readonly requests: number
  readonly responses2xx: number
  readonly responses3xx: number
  readonly responses4xx: number
  readonly responses5xx: number
  readonly failures: number
  /** From the request's head to the answer's; null: nothing was measured, as of `tcp`. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null
}
