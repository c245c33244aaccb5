import type { RouteRule } from './route-model.ts'

const HOUR_MS = 3_600_000

/** What holds of a route where nothing is said. A day without a byte in a tunnel: what a pool of database connections may well see. */
export const PLAIN_RULE: RouteRule = {
  hosts: [],
  path: { type: 'prefix', value: '/' },
  tls: null,
  redirect: null,
  requestHeaders: { set: {}, remove: [] },
  responseHeaders: { set: {}, remove: [] },
  allow: [],
  deny: [],
  basicAuth: null,
  rateLimit: null,
  maxConnections: null,
  maxConnectionsPerTask: null,
  sticky: null,
  balance: 'least-connections',
  isCompressed: false,
  trustedProxies: [],
  hasProxyProtocol: false,
  sendProxyProtocol: 'no',
  retries: 3,
  slowStartMs: 0,
  timeouts: {
    connectMs: 1000,
    requestMs: 30_000,
    idleMs: 24 * HOUR_MS,
    tunnelMs: 24 * HOUR_MS,
    keepAliveMs: 60_000,
    queueMs: 5000,
  },
  maxBodyBytes: null,
  hasAccessLog: false,
  unavailableText: '',
}
