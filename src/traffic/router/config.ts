import { createHash } from 'node:crypto'

import { backendSection, redirectToHttps, serverLines } from './backend-section.ts'
import { authSections } from './client-rules.ts'
import { entriesOf, entryMaps, looksUp, redirectSection, ruleOf, type Entry } from './entries.ts'
import { CHALLENGE_MAP, certificateList, frontendSection, mapPath, NO_ROUTE_SECTIONS } from './frontend-section.ts'
import { ACCESS_RING, ACCESS_RING_BYTES, SAMPLE_RING, SAMPLE_RING_BYTES } from './log-format.ts'
import { sectionName } from './names.ts'
import { serverOptions } from './server-options.ts'
import type { Route } from './port.ts'
import { renderSections, type Line, type Section } from './words.ts'

export interface ConfigOptions {
  readonly socketPath: string
  /** Whom the worker becomes once it has its ports; null: it stays who it is. */
  readonly runAs: { readonly uid: number; readonly gid: number } | null
  /** Listen on every IPv6 address as well where no address is given. */
  readonly hasIpv6: boolean
  /** Makes cookies of sticky sessions that nobody else can make. */
  readonly cookieKey: string
}

export interface ProxyConfig {
  readonly text: string
  /** Names everything but servers, maps and certificates, which change without a reload. HAProxy tells it back in `show info`. */
  readonly fingerprint: string
  /** What is looked up, by the path of its file below the configuration's directory. */
  readonly maps: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Paths of the lists of certificates that it names, with the entry of each. */
  readonly certificateLists: ReadonlyMap<string, Entry>
}

/** Each connection takes two descriptors of the worker's, and machines with a bound of 20,000 are common. */
const MAX_CONNECTIONS = 8000
/** Old workers stay for their connections; one that has seen so many reloads is ended. */
const MAX_RELOADS = 25

/** The whole configuration of HAProxy 2.6 for these routes. Pure. `checkRoute` has to have passed for each. */
export function proxyConfig(routes: readonly Route[], options: ConfigOptions): ProxyConfig {
  const ordered = routes.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const entries = entriesOf(ordered)
  const fixed = [
    ...FIXED,
    ...(ordered.some((route) => ruleOf(route).hasAccessLog) ? [ring(ACCESS_RING, ACCESS_RING_BYTES)] : []),
    ...entries.map((entry) => frontendSection(entry, options.hasIpv6)),
    ...redirectSections(ordered),
    ...ordered.flatMap((route) => authSections(sectionName(route), ruleOf(route))),
    ...NO_ROUTE_SECTIONS,
  ]
  const backends = ordered.map((route) => backendSection(route, options))
  const global = globalLines(options)
  const fingerprint = createHash('sha256')
    .update(renderSections([{ kind: 'global', name: null, lines: global }, ...fixed, ...backends]))
    .update(JSON.stringify(ordered.map((route) => serverOptions(ruleOf(route), 0))))
    .digest('hex')
    .slice(0, 16)
  const full = backends.map((section, index) => withServers(section, ordered[index]))
  const head: Section = { kind: 'global', name: null, lines: [['description', fingerprint], ...global] }
  return {
    text: renderSections([head, ...fixed, ...full]),
    fingerprint,
    maps: new Map(entries.flatMap(mapsOf)),
    certificateLists: new Map(
      entries
        .filter((entry) => entry.kind === 'https' || entry.kind === 'tls')
        .map((entry) => [certificateList(entry.name), entry]),
    ),
  }
}

function withServers(section: Section, route: Route | undefined): Section {
  return { ...section, lines: [...section.lines, ...(route === undefined ? [] : serverLines(route))] }
}

function globalLines({ socketPath, runAs }: ConfigOptions): readonly Line[] {
  const identity: readonly Line[] =
    runAs === null
      ? []
      : [
          ['uid', `${runAs.uid}`],
          ['gid', `${runAs.gid}`],
        ]
  return [
    ['default-path', 'config'],
    ['maxconn', `${MAX_CONNECTIONS}`],
    ['mworker-max-reloads', `${MAX_RELOADS}`],
    ['no', 'strict-limits'],
    ['stats', 'socket', socketPath, 'mode', '600', 'level', 'admin', 'expose-fd', 'listeners'],
    ['stats', 'timeout', '1h'],
    ['ssl-default-bind-options', 'ssl-min-ver', 'TLSv1.2'],
    ['ssl-default-bind-ciphers', 'ECDHE+AESGCM:ECDHE+CHACHA20'],
    ...identity,
  ]
}

function ring(name: string, sizeBytes: number): Section {
  return {
    kind: 'ring',
    name,
    lines: [
      ['format', 'raw'],
      ['maxlen', '4096'],
      ['size', `${sizeBytes}`],
    ],
  }
}

const FIXED: readonly Section[] = [
  ring(SAMPLE_RING, SAMPLE_RING_BYTES),
  {
    kind: 'defaults',
    name: null,
    // Dead peers are found by keep-alive probes long before the patience for silent ones ends.
    lines: [
      ['option', 'clitcpka'],
      ['option', 'srvtcpka'],
      ['timeout', 'connect', '1s'],
      ['timeout', 'client', '1m'],
      ['timeout', 'server', '1m'],
    ],
  },
]

function redirectSections(routes: readonly Route[]): readonly Section[] {
  const ports = routes.filter((route) => (ruleOf(route).tls?.redirectFromPort ?? null) !== null).map((route) => route.hostPort)
  return [...new Set(ports)].toSorted((a, b) => a - b).map((port) => redirectToHttps(redirectSection(port), port))
}

/** Only those that the configuration names: which those are is in its fingerprint. */
function mapsOf(entry: Entry): readonly (readonly [string, ReadonlyMap<string, string>])[] {
  const { exact, prefix } = looksUp(entry) ? entryMaps(entry) : { exact: EMPTY, prefix: EMPTY }
  return [
    ...(exact.size > 0 ? [[mapPath(entry.name, 'exact'), exact] as const] : []),
    ...(prefix.size > 0 ? [[mapPath(entry.name, 'prefix'), prefix] as const] : []),
    ...(entry.uses.some((use) => use.hasChallenges) ? [[CHALLENGE_MAP, EMPTY] as const] : []),
  ]
}

const EMPTY: ReadonlyMap<string, string> = new Map()
