import type { RouteRule } from '#cluster/spec'

import { entryMaps, soleUse, type Entry } from './entries.ts'
import { ACCESS_RING, HTTP_LOG, logTo, SAMPLE_LOG, SAMPLE_RING, SAMPLING, TCP_LOG } from './log-format.ts'
import { listenAddresses } from './names.ts'
import type { Line, Section } from './words.ts'

/** Where the proxy looks up who answers, and the proofs for ACME servers. Relative to the configuration's directory. */
export const CHALLENGE_MAP = 'maps/challenges'
export function mapPath(entry: string, kind: 'exact' | 'prefix'): string {
  return `maps/${entry}.${kind}`
}
export function certificateList(entry: string): string {
  return `certificates/${entry}.list`
}

/** For the client to send the first bytes of TLS, of which the name is read. */
const HELLO_TIMEOUT = '5s'
export const CHALLENGE_PATH = '/.well-known/acme-challenge/'

/** One place where clients come in. */
export function frontendSection(entry: Entry, hasIpv6: boolean): Section {
  const isHttp = entry.kind === 'http' || entry.kind === 'https'
  return {
    kind: 'frontend',
    name: entry.name,
    lines: [
      ...bindLines(entry, hasIpv6),
      ['mode', isHttp ? 'http' : 'tcp'],
      ...timeoutLines(entry, isHttp),
      ...(isHttp ? httpLines(entry) : tcpLines(entry)),
    ],
  }
}

function bindLines(entry: Entry, hasIpv6: boolean): readonly Line[] {
  const proxy = entry.uses.some((use) => use.rule.hasProxyProtocol) ? ['accept-proxy'] : []
  const tls = entry.kind === 'https' || entry.kind === 'tls' ? ['ssl', 'crt-list', certificateList(entry.name)] : []
  const alpn = entry.kind === 'https' ? ['alpn', 'h2,http/1.1'] : []
  return listenAddresses(entry.hostIp, hasIpv6).map((address) => [
    'bind',
    address.includes(':') ? `[${address}]:${entry.port}` : `${address}:${entry.port}`,
    ...(address.includes(':') ? ['v6only'] : []),
    ...proxy,
    ...tls,
    ...alpn,
  ])
}

/** What is decided before it is known whose the request is: the most patient route of the place says. */
function timeoutLines({ uses }: Entry, isHttp: boolean): readonly Line[] {
  const most = (of: (timeouts: RouteRule['timeouts']) => number) => `${Math.max(...uses.map((use) => of(use.rule.timeouts)))}ms`
  const client: Line = ['timeout', 'client', most((timeouts) => (isHttp ? timeouts.idleMs : timeouts.tunnelMs))]
  if (!isHttp) return [client]
  return [
    client,
    ['timeout', 'http-request', most((timeouts) => timeouts.requestMs)],
    ['timeout', 'http-keep-alive', most((timeouts) => timeouts.keepAliveMs)],
  ]
}

function httpLines(entry: Entry): readonly Line[] {
  const sole = soleUse(entry)
  const hasAccessLog = entry.uses.some((use) => use.rule.hasAccessLog)
  const challenge: readonly Line[] = entry.uses.some((use) => use.hasChallenges)
    ? [
        [
          'http-request',
          'return',
          'status',
          '200',
          'content-type',
          'text/plain',
          'lf-string',
          `%[path,map_str(${CHALLENGE_MAP})]`,
        ].concat(['if', '{', 'path_beg', CHALLENGE_PATH, '}', '{', `path,map_str(${CHALLENGE_MAP})`, '-m', 'found', '}']),
      ]
    : []
  return [
    // A kept connection is closed with an answer when the worker is replaced, never between two requests.
    ['option', 'idle-close-on-response'],
    // Pieces of an answer arrive as they are sent: held back for fuller packets, events would come up to 200 ms late.
    ['option', 'http-no-delay'],
    logTo(SAMPLE_RING),
    ...(hasAccessLog ? [logTo(ACCESS_RING)] : []),
    ['log-format', hasAccessLog ? HTTP_LOG : SAMPLE_LOG],
    ...SAMPLING,
    ...challenge,
    ...(sole === undefined ? httpMatchLines(entry) : [['default_backend', sole.section]]),
  ]
}

/** Exact before prefix, and the whole host before `*.` before any. Only what the entry's maps can hold is looked up. */
function httpMatchLines(entry: Entry): readonly Line[] {
  const maps = entryMaps(entry)
  const levels = [...new Set([...maps.exact.keys(), ...maps.prefix.keys()].map(levelOf))]
  const keys: readonly Line[] = [
    ['http-request', 'set-var-fmt(txn.whole)', '%[req.hdr(host),host_only]%[path]'],
    ...(levels.includes('wildcard')
      ? [['http-request', 'set-var-fmt(txn.wildcard)', '%[req.hdr(host),host_only,regsub(^[^.]*,*)]%[path]']]
      : []),
    ...(levels.includes('any') ? [['http-request', 'set-var-fmt(txn.any)', '*%[path]']] : []),
  ]
  const lookups = (['whole', 'wildcard', 'any'] as const).flatMap((level): readonly Line[] => {
    if (!levels.includes(level)) return []
    const has = (map: ReadonlyMap<string, string>) => [...map.keys()].some((key) => levelOf(key) === level)
    return [
      ...(has(maps.exact) ? [lookup(`var(txn.${level}),map_str(${mapPath(entry.name, 'exact')})`)] : []),
      ...(has(maps.prefix) ? [lookup(`var(txn.${level}),concat(/),map_beg(${mapPath(entry.name, 'prefix')})`)] : []),
    ]
  })
  return [
    ...keys,
    ...lookups,
    ['use_backend', '%[var(txn.section)]', 'if', '{', 'var(txn.section)', '-m', 'found', '}'],
    ['default_backend', NO_ROUTE],
  ]
}

function lookup(sample: string): Line {
  return ['http-request', 'set-var(txn.section)', sample, 'unless', '{', 'var(txn.section)', '-m', 'found', '}']
}

function levelOf(key: string): 'whole' | 'wildcard' | 'any' {
  return key.startsWith('*.') ? 'wildcard' : key.startsWith('*') ? 'any' : 'whole'
}

function tcpLines(entry: Entry): readonly Line[] {
  const log: readonly Line[] = entry.uses.some((use) => use.rule.hasAccessLog)
    ? [logTo(ACCESS_RING), ['log-format', TCP_LOG]]
    : []
  const anyUse = entry.uses.find((use) => use.hosts.includes('*'))
  const fallback: readonly Line[] = [['default_backend', anyUse?.section ?? NO_ROUTE_TCP]]
  if (entry.uses.every((use) => use.hosts.includes('*'))) return [...log, ...fallback]
  const name = entry.kind === 'tls' ? 'ssl_fc_sni,lower' : 'req.ssl_sni,lower'
  const wait: readonly Line[] =
    entry.kind === 'tls'
      ? []
      : [
          ['tcp-request', 'inspect-delay', HELLO_TIMEOUT],
          ['tcp-request', 'content', 'accept', 'if', '{', 'req.ssl_hello_type', '1', '}'],
        ]
  const map = `map_str(${mapPath(entry.name, 'exact')})`
  const use = (sample: string): Line => ['use_backend', `%[${sample}]`, 'if', '{', sample, '-m', 'found', '}']
  return [...log, ...wait, use(`${name},${map}`), use(`${name},regsub(^[^.]*,*),${map}`), ...fallback]
}

/** Answers where no route fits. */
const NO_ROUTE = 'no-route'
const NO_ROUTE_TCP = 'no-route-tcp'

export const NO_ROUTE_SECTIONS: readonly Section[] = [
  {
    kind: 'backend',
    name: NO_ROUTE,
    lines: [
      ['mode', 'http'],
      [
        'http-request',
        'return',
        'status',
        '404',
        'content-type',
        'text/plain',
        'string',
        'No route leads to this host and path.\n',
      ],
    ],
  },
  { kind: 'backend', name: NO_ROUTE_TCP, lines: [['mode', 'tcp']] },
]
