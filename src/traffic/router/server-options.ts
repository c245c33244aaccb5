import type { RouteRule } from '#cluster/spec'

/**
 * A server is asked every second whether it accepts; after a failed connection within 100 ms, and counts as down when that fails too. Connections
 * that it has are left alone: it may only be busy. A connection that fails is tried again at once on another server.
 */
const HEALTH =
  'check inter 1s fastinter 100ms downinter 200ms fall 2 rise 1 observe layer4 error-limit 1 on-error sudden-death'.split(' ')

/** Words after a server's address, in the configuration and on the runtime socket alike. All of it but the weight is fixed for a route. */
export function serverOptions(rule: RouteRule, weight: number): readonly string[] {
  const { maxConnectionsPerTask, slowStartMs, sendProxyProtocol } = rule
  return [
    ...HEALTH,
    ...(maxConnectionsPerTask === null ? [] : ['maxconn', `${maxConnectionsPerTask}`]),
    ...(slowStartMs === 0 ? [] : ['slowstart', `${slowStartMs}ms`]),
    ...(sendProxyProtocol === 'no' ? [] : [sendProxyProtocol === 'v1' ? 'send-proxy' : 'send-proxy-v2', 'check-send-proxy']),
    ...['weight', `${weight}`],
  ]
}
