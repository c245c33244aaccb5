/** What a user says of one route: who comes in where, to whom it leads, and what happens on the way. Plain JSON values only. */
export interface RouteSpec {
  /** Unique in its stack: letters, digits, `-` and `_`, at most 63. */
  readonly name: string
  /** Empty: every address of the host. */
  readonly hostIp: string
  /** Where clients come in: by default 443 with TLS and 80 without; of a `tcp` route it has to be said. Routes with other hosts or paths may have the same. */
  readonly port: number
  readonly mode: 'http' | 'tcp'
  /** Empty: only where `rule.redirect` answers everything. */
  readonly targets: readonly RouteTargetSpec[]
  readonly rule: RouteRule
}

/** Somebody who answers. Shares count against each other: 95 and 5, or 19 and 1. All 0: nobody answers. */
export type RouteTargetSpec =
  | {
      readonly type: 'service'
      /** Unique in the route; `service` by default. What `glovebox route shift` names. */
      readonly name: string
      readonly service: string
      readonly containerPort: number
      readonly share: number
    }
  | {
      /** Something that is no container of ours: the old installation, a machine beside. */
      readonly type: 'address'
      readonly name: string
      /** IPv4 or IPv6 address, or a name that is looked up again and again while the route lives. */
      readonly host: string
      readonly port: number
      readonly share: number
    }

/** All of a route but who answers. `PLAIN_RULE` is what holds where nothing is said. */
export interface RouteRule {
  /** `shop.example.com`, or `*.example.com` for names with exactly one label more. Empty: any. Of a `tcp` route: the name in TLS's SNI, which is passed on unopened. */
  readonly hosts: readonly string[]
  /** Of `http`. The longest that fits wins; an exact one before a prefix. `/api` as prefix fits `/api` and `/api/x`, not `/apis`. */
  readonly path: { readonly type: 'prefix' | 'exact'; readonly value: string }
  /** null: no TLS here. */
  readonly tls: RouteTlsSpec | null
  /** Answers instead of the targets; null: does not. */
  readonly redirect: RouteRedirectSpec | null
  /** Takes the place of the part of the path that the route matched before a task is asked, and what follows stays; absent: the path stays as it is. */
  readonly replacePath?: string
  readonly requestHeaders: HeaderChangeSpec
  readonly responseHeaders: HeaderChangeSpec
  /** Networks such as `10.0.0.0/8`, or addresses. Empty: everybody. */
  readonly allow: readonly string[]
  /** Of those that are allowed, who is not. */
  readonly deny: readonly string[]
  readonly basicAuth: BasicAuthSpec | null
  readonly rateLimit: RateLimitSpec | null
  /** Of the route as a whole; further ones are refused with 503 (`http`) or closed. null: no bound of its own. */
  readonly maxConnections: number | null
  /** Requests that one task has at the same time; further ones queue for `timeouts.queueMs`. null: no bound. */
  readonly maxConnectionsPerTask: number | null
  readonly sticky: StickySpec | null
  readonly balance: 'least-connections' | 'round-robin'
  readonly isCompressed: boolean
  /** Proxies before us, as networks: only what they say of the client in `X-Forwarded-For` is believed and kept. */
  readonly trustedProxies: readonly string[]
  /** Clients speak the PROXY protocol (of HAProxy, version 1 or 2). All routes of one port agree on it. */
  readonly hasProxyProtocol: boolean
  /** How the tasks are told the client's address beside `X-Forwarded-For` and `Forwarded`. */
  readonly sendProxyProtocol: 'no' | 'v1' | 'v2'
  /** Attempts on other tasks after the first: of connections, and with `http` of GET, HEAD and OPTIONS that got no answer. */
  readonly retries: number
  /** A new task gets its full part of the requests only after so long; 0: at once. */
  readonly slowStartMs: number
  readonly timeouts: RouteTimeouts
  /** Larger requests are refused with 413, and those of unknown length with 411; null: no bound. */
  readonly maxBodyBytes: number | null
  readonly hasAccessLog: boolean
  /** What a client reads with the 503 while nobody answers; empty: a text that says so. */
  readonly unavailableText: string
}

export interface RouteTlsSpec {
  readonly certificate: CertificateSourceSpec
  readonly minVersion: '1.2' | '1.3'
  /** Besides, plain HTTP is heard here and led to https; null: it is not. */
  readonly redirectFromPort: number | null
}

export type CertificateSourceSpec =
  /** PEM files on the node: the chain with the host's certificate first, and its key. */
  | { readonly type: 'files'; readonly certificatePath: string; readonly keyPath: string }
  /** Signed by the CA that this installation made for itself. */
  | { readonly type: 'own' }
  /** From a CA that speaks ACME (RFC 8555), proven by http-01: port 80 of every host has to lead here. `*.` is not possible. */
  | { readonly type: 'acme'; readonly directoryUrl: string; readonly email: string | null }

export interface RouteRedirectSpec {
  readonly status: 301 | 302 | 307 | 308
  /** null: what was asked for. */
  readonly scheme: 'http' | 'https' | null
  readonly host: string | null
  readonly port: number | null
  /** Takes the place of the part of the path that the route matched, and what follows stays; null: the path stays as it is. */
  readonly path: string | null
}

export interface HeaderChangeSpec {
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

export interface BasicAuthSpec {
  readonly realm: string
  /** Hashes of crypt(3) in the forms `$5$` and `$6$` (`openssl passwd -6`). */
  readonly users: readonly { readonly name: string; readonly hash: string }[]
}

/** By client address; more is refused with 429. Of a `tcp` route connections are counted. */
export interface RateLimitSpec {
  readonly requests: number
  /** The sliding window, at most a day. */
  readonly perMs: number
}

/** The same client comes to the same task, as long as that is there. */
export interface StickySpec {
  readonly cookie: string
  /** null: until the browser is closed. */
  readonly maxAgeMs: number | null
}

export interface RouteTimeouts {
  readonly connectMs: number
  /** For the client to send its request's head. */
  readonly requestMs: number
  /** For a task to begin its answer, and between two pieces of it; the same between two pieces of a request. */
  readonly idleMs: number
  /** Of a connection that became a websocket, and of `tcp`. */
  readonly tunnelMs: number
  readonly keepAliveMs: number
  readonly queueMs: number
}
