import type { RouteRule } from '#cluster/spec'

import { entryKind, hostPort, sectionName } from './names.ts'
import { ruleOf } from './entries.ts'
import { clientLines, tcpClientLines, type EntryPlace } from './client-rules.ts'
import { changeLines, redirectLine, rewriteLines } from './http-rules.ts'
import { ACCESS_LOG_HTTP, ACCESS_LOG_TCP } from './log-format.ts'
import type { Route } from './port.ts'
import { serverOptions } from './server-options.ts'
import { backendWeights } from './weights.ts'
import { literal, type Line, type Section } from './words.ts'

/** What makes a stranger of a route's cookies: kept secret, the same for the life of the proxy's directory. */
export interface BackendOptions {
  readonly cookieKey: string
}

const UNAVAILABLE = 'Nobody answers for this address at the moment. Please try again soon.\n'

/** All of a route but its servers. */
export function backendSection(route: Route, options: BackendOptions): Section {
  const rule = ruleOf(route)
  const lines = route.mode === 'http' ? httpLines(route, rule, options) : tcpLines(rule)
  return {
    kind: 'backend',
    name: sectionName(route),
    lines: [['mode', route.mode], ['balance', balanceOf(route, rule)], ...commonLines(rule), ...lines],
  }
}

/**
 * The one with the fewest connections of some that are drawn: HAProxy's own `leastconn` waits a second before it repeats a refused connection, on whichever server, and this does not. With
 * so many draws it is one of two as good as always.
 */
const FEWEST_CONNECTIONS = 'random(4)'

/** Only round robin keeps the shares of several groups: fewest connections would give the slower group less. */
function balanceOf(route: Route, rule: RouteRule): string {
  return (route.groups?.length ?? 0) > 1 || rule.balance === 'round-robin' ? 'roundrobin' : FEWEST_CONNECTIONS
}

function commonLines({ retries, timeouts }: RouteRule): readonly Line[] {
  return [
    ['retries', `${retries}`],
    ['option', 'redispatch', '1'],
    ['timeout', 'connect', `${timeouts.connectMs}ms`],
    ['timeout', 'queue', `${timeouts.queueMs}ms`],
    ['timeout', 'tunnel', `${timeouts.tunnelMs}ms`],
  ]
}

function httpLines(route: Route, rule: RouteRule, options: BackendOptions): readonly Line[] {
  const text = rule.unavailableText === '' ? UNAVAILABLE : rule.unavailableText
  return [
    ['timeout', 'server', `${rule.timeouts.idleMs}ms`],
    [
      'http-error',
      'status',
      '503',
      'content-type',
      'text/plain; charset=utf-8',
      'string',
      text,
      'hdr',
      'Cache-Control',
      'no-store',
    ],
    ...(rule.hasAccessLog ? ACCESS_LOG_HTTP : []),
    ...clientLines(sectionName(route), rule, placeOf(route)),
    ...bodyLines(rule),
    ...redirectLine(rule),
    ...rewriteLines(rule),
    ...changeLines(rule),
    ...repeatLines(rule),
    ...stickyLines(route, rule, options),
    ...(rule.isCompressed ? COMPRESSION : []),
  ]
}

/** Behind the PROXY protocol a client may be of either family, wherever it comes in. */
function placeOf(route: Route): EntryPlace {
  const scheme = entryKind(route) === 'https' ? 'https' : 'http'
  const isOpen = route.hostIp === '' || ruleOf(route).hasProxyProtocol
  return { scheme, families: isOpen ? 'both' : route.hostIp.includes(':') ? 6 : 4 }
}

function tcpLines(rule: RouteRule): readonly Line[] {
  return [
    ['timeout', 'server', `${rule.timeouts.tunnelMs}ms`],
    ...(rule.hasAccessLog ? ACCESS_LOG_TCP : []),
    ...tcpClientLines(rule),
  ]
}

/** What can be read twice without harm is sent again when nobody answered. HAProxy keeps it for that as long as it fits its buffer. */
function repeatLines({ retries }: RouteRule): readonly Line[] {
  if (retries === 0) return []
  return [
    ['retry-on', 'conn-failure', 'empty-response'],
    ['http-request', 'disable-l7-retry', 'unless', '{', 'method', 'GET', 'HEAD', 'OPTIONS', '}'],
  ]
}

/** A body of unknown length could only be refused when it is half passed on. */
function bodyLines({ maxBodyBytes }: RouteRule): readonly Line[] {
  if (maxBodyBytes === null) return []
  return [
    ['http-request', 'deny', 'deny_status', '413', 'if', '{', 'req.body_size', 'gt', `${maxBodyBytes}`, '}'],
    [
      ...[
        'http-request',
        'return',
        'status',
        '411',
        'content-type',
        'text/plain',
        'string',
        'A Content-Length is needed here.\n',
      ],
      ...['if', '{', 'req.hdr(transfer-encoding)', '-m', 'found', '}'],
    ],
  ]
}

function stickyLines(route: Route, { sticky }: RouteRule, { cookieKey }: BackendOptions): readonly Line[] {
  if (sticky === null) return []
  const age = sticky.maxAgeMs === null ? [] : ['attr', `Max-Age=${Math.ceil(sticky.maxAgeMs / 1000)}`]
  const secure = entryKind(route) === 'https' ? ['secure'] : []
  return [
    ['cookie', sticky.cookie, 'insert', 'indirect', 'nocache', 'httponly', ...secure, 'dynamic', ...age, 'attr', 'SameSite=Lax'],
    ['dynamic-cookie-key', cookieKey],
  ]
}

/** What is text on the web. Not `text/event-stream`: its pieces have to arrive at once. */
const COMPRESSED = [
  ...[
    'text/html',
    'text/plain',
    'text/css',
    'text/csv',
    'text/xml',
    'text/javascript',
    'application/javascript',
    'application/json',
  ],
  ...[
    'application/ld+json',
    'application/xml',
    'application/rss+xml',
    'application/atom+xml',
    'application/wasm',
    'image/svg+xml',
  ],
]
const COMPRESSION: readonly Line[] = [
  ['compression', 'algo', 'gzip'],
  ['compression', 'type', ...COMPRESSED],
]

/** One that drains starts disabled: the configuration has no word for draining, the runtime socket has. */
export function serverLines(route: Route): readonly Line[] {
  const weights = backendWeights(route.backends, route.groups)
  return route.backends.map((backend) => [
    'server',
    backend.id,
    hostPort(backend),
    ...serverOptions(ruleOf(route), weights.get(backend.id) ?? 0),
    ...(backend.state === 'draining' ? ['disabled'] : []),
  ])
}

/** Sends on what came without TLS. */
export function redirectToHttps(name: string, port: number): Section {
  const location = `https://%[req.hdr(host),host_only]${port === 443 ? '' : literal(`:${port}`)}%[pathq]`
  return {
    kind: 'backend',
    name,
    lines: [
      ['mode', 'http'],
      ['http-request', 'redirect', 'location', location, 'code', '308'],
    ],
  }
}
