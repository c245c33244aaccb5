import type { RouteRule } from '#cluster/spec'

/**
 * A server is asked every second whether it accepts; after a failed connection every 100 ms, and counts as down after two that fail. Connections that it has are left alone: it may
 * only be busy. A connection that fails is tried again at once on another server; were the failure itself to take the server down, the last but one of a route, HAProxy would wait a
 * second before.
 */
const HEALTH =
  'check inter 1s fastinter 100ms downinter 200ms fall 2 rise 1 observe layer4 error-limit 1 on-error fastinter'.split(' ')

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
