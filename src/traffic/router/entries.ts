import { PLAIN_RULE, type RouteRule } from '#cluster/spec'

import { trimPath } from './check-route.ts'
import { entryKind, entryName, sectionName, type EntryKind } from './names.ts'
import type { Route } from './port.ts'

/** One place where clients come in, and who gets what there. */
export interface Entry {
  readonly name: string
  readonly kind: EntryKind
  readonly hostIp: string
  readonly port: number
  /** In the order of the routes. Never empty. */
  readonly uses: readonly EntryUse[]
}

export interface EntryUse {
  /** `*`: any. In lower case. */
  readonly hosts: readonly string[]
  readonly path: RouteRule['path']
  /** Section that answers. */
  readonly section: string
  readonly routeId: string
  readonly rule: RouteRule
  /** Proofs for an ACME server are answered here. */
  readonly hasChallenges: boolean
}

/** All places where one has to listen for these routes. A redirect to https gives way to a route that says something else for the same host. Pure. */
export function entriesOf(routes: readonly Route[]): readonly Entry[] {
  const entries = new Map<string, Entry>()
  const add = (kind: EntryKind, hostIp: string, port: number, use: EntryUse) => {
    const name = entryName(kind, hostIp, port)
    entries.set(name, { name, kind, hostIp, port, uses: [...(entries.get(name)?.uses ?? []), use] })
  }
  for (const route of routes) {
    const rule = ruleOf(route)
    add(entryKind(route), route.hostIp, route.hostPort, {
      ...matchOf(rule),
      section: sectionName(route),
      routeId: route.id,
      rule,
      hasChallenges: false,
    })
  }
  for (const route of routes) {
    const rule = ruleOf(route)
    const from = rule.tls?.redirectFromPort ?? null
    if (from === null) continue
    const hasChallenges = rule.tls?.certificate.type === 'acme'
    // Whoever speaks something else than HTTP is not led anywhere by it.
    if (route.mode === 'tcp' && !hasChallenges) continue
    const taken = entries.get(entryName('http', route.hostIp, from))?.uses ?? []
    const match = matchOf(rule)
    const hosts = (route.mode === 'tcp' ? [] : match.hosts).filter((host) => !taken.some((use) => isSame(use, host, match.path)))
    add('http', route.hostIp, from, {
      hosts,
      path: match.path,
      section: redirectSection(route.hostPort),
      routeId: route.id,
      rule: { ...PLAIN_RULE, hasProxyProtocol: rule.hasProxyProtocol },
      hasChallenges,
    })
  }
  return [...entries.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Sends everybody to https on this port. */
export function redirectSection(port: number): string {
  return `to-https-${port}`
}

export function ruleOf(route: Route): RouteRule {
  return route.rule ?? PLAIN_RULE
}

function matchOf({ hosts, path }: RouteRule): Pick<EntryUse, 'hosts' | 'path'> {
  return {
    hosts: hosts.length === 0 ? ['*'] : [...new Set(hosts.map((host) => host.toLowerCase()))],
    path: { type: path.type, value: path.type === 'exact' ? path.value : trimPath(path.value) },
  }
}

function isSame(use: EntryUse, host: string, path: RouteRule['path']): boolean {
  return use.hosts.includes(host) && use.path.type === path.type && use.path.value === path.value
}

/** Whether all that comes to it goes to one section, so that nothing has to be looked at. */
export function soleUse(entry: Entry): EntryUse | undefined {
  const [use] = entry.uses
  const isSole =
    entry.uses.length === 1 &&
    use !== undefined &&
    use.hosts.includes('*') &&
    use.path.type === 'prefix' &&
    use.path.value === '/'
  return isSole ? use : undefined
}

/** Whether the names that clients ask for are looked at at all. */
export function looksUp(entry: Entry): boolean {
  if (entry.kind === 'http' || entry.kind === 'https') return soleUse(entry) === undefined
  return entry.uses.some((use) => !use.hosts.includes('*'))
}

/** What the proxy looks up: lines of `key section`, by the map's name. Exact ones are asked first; prefixes end in `/`, and the longest wins. */
export function entryMaps(entry: Entry): {
  readonly exact: ReadonlyMap<string, string>
  readonly prefix: ReadonlyMap<string, string>
} {
  const exact = new Map<string, string>()
  const prefix = new Map<string, string>()
  const isHttp = entry.kind === 'http' || entry.kind === 'https'
  for (const use of entry.uses) {
    for (const host of use.hosts) {
      if (!isHttp) exact.set(host, use.section)
      else if (use.path.type === 'exact') exact.set(`${host}${use.path.value}`, use.section)
      else prefix.set(`${host}${use.path.value === '/' ? '/' : `${use.path.value}/`}`, use.section)
    }
  }
  return { exact, prefix }
}
