import { createHash } from 'node:crypto'

import type { Backend, Route } from './port.ts'

export interface ConfigOptions {
  readonly socketPath: string
  /** Whom the worker becomes once it has its ports; null: it stays who it is. */
  readonly runAs: { readonly uid: number; readonly gid: number } | null
  /** Listen on every IPv6 address as well where no address is given. */
  readonly hasIpv6: boolean
}

export interface ProxyConfig {
  readonly text: string
  /** Names everything but the servers, which change without a reload. HAProxy tells it back in `show info`. */
  readonly fingerprint: string
}

/** Each connection takes two descriptors of the worker's, and machines with a bound of 20,000 are common. */
const MAX_CONNECTIONS = 8000
/** Old workers stay for their connections; one that has seen so many reloads is ended. */
const MAX_RELOADS = 25

/**
 * A connection that fails is tried again at once on another server. A server is asked every second whether it accepts; after a failed
 * connection within 100 ms, and counts as down when that fails too. Connections that it has are left alone: it may only be busy.
 */
export const SERVER_OPTIONS =
  'check inter 1s fastinter 100ms downinter 200ms fall 2 rise 1 observe layer4 error-limit 1 on-error sudden-death'

/** The whole configuration of HAProxy 2.6 for these routes. Pure. */
export function proxyConfig(routes: readonly Route[], options: ConfigOptions): ProxyConfig {
  const ordered = routes.toSorted((a, b) => (sectionName(a) < sectionName(b) ? -1 : 1))
  const fixed = [...GLOBAL, ...globalOf(options), ...DEFAULTS].join('\n')
  const heads = ordered.map((route) => sectionHead(route, options.hasIpv6).join('\n'))
  const fingerprint = createHash('sha256')
    .update([fixed, ...heads].join('\n'))
    .digest('hex')
    .slice(0, 16)
  const sections = ordered.map((route, index) => [heads[index], ...route.backends.map(serverLine)].join('\n'))
  const text = `${['global', `  description ${fingerprint}`, fixed, ...sections].join('\n')}\n`
  return { text, fingerprint }
}

const GLOBAL = [`  maxconn ${MAX_CONNECTIONS}`, `  mworker-max-reloads ${MAX_RELOADS}`, '  no strict-limits']

function globalOf({ socketPath, runAs }: ConfigOptions): readonly string[] {
  const identity = runAs === null ? [] : [`  uid ${runAs.uid}`, `  gid ${runAs.gid}`]
  return [`  stats socket ${socketPath} mode 600 level admin expose-fd listeners`, '  stats timeout 1h', ...identity]
}

/** A day without a byte: what a pool of database connections may well see. Dead peers are found by keep-alive probes before. */
const DEFAULTS = [
  'defaults',
  '  balance leastconn',
  '  retries 3',
  '  option redispatch 1',
  '  option clitcpka',
  '  option srvtcpka',
  '  timeout connect 1s',
  '  timeout queue 5s',
  '  timeout client 24h',
  '  timeout server 24h',
  '  timeout tunnel 24h',
]

/** Tells all that a reload would be needed for to change: mode, address and port. */
export function sectionName(route: Pick<Route, 'mode' | 'hostIp' | 'hostPort'>): string {
  return `${route.mode}-${listenAddress(route.hostIp)}-${route.hostPort}`
}

export function listenAddress(hostIp: string): string {
  return hostIp === '' ? '0.0.0.0' : hostIp
}

/** All that a route listens on: without an address every one of the host, of both families. */
export function listenAddresses(hostIp: string, hasIpv6: boolean): readonly string[] {
  return [listenAddress(hostIp), ...(hostIp === '' && hasIpv6 ? ['::'] : [])]
}

function sectionHead(route: Route, hasIpv6: boolean): readonly string[] {
  const binds = listenAddresses(route.hostIp, hasIpv6).map((address) =>
    address.includes(':') ? `  bind [${address}]:${route.hostPort} v6only` : `  bind ${address}:${route.hostPort}`,
  )
  return [`listen ${sectionName(route)}`, ...binds, `  mode ${route.mode}`, ...(route.mode === 'http' ? HTTP : [])]
}

const HTTP = [
  '  option forwardfor',
  '  option idle-close-on-response',
  '  timeout http-request 30s',
  '  timeout http-keep-alive 1m',
  '  retry-on conn-failure empty-response',
  '  http-request disable-l7-retry unless { method GET HEAD OPTIONS }',
]

/** One that drains starts disabled: the configuration has no word for draining, the runtime socket has. */
function serverLine(backend: Backend): string {
  const disabled = backend.state === 'draining' ? ' disabled' : ''
  return `  server ${backend.id} ${hostPort(backend)} ${SERVER_OPTIONS}${disabled}`
}

export function hostPort({ address, port }: Pick<Backend, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
