import { ruleOf } from './entries.ts'
import { hostPort, sectionName } from './names.ts'
import type { Backend, ProxyServer, Route } from './port.ts'
import { serverOptions } from './server-options.ts'
import { backendWeights } from './weights.ts'

interface Wanted {
  readonly route: Route
  readonly backend: Backend
  readonly weight: number
}

/**
 * Commands of the runtime socket that make the servers what the routes want. Pure. Connections of a server that is not wanted may end in
 * peace: it drains, and is deleted once it has none (only one in maintenance without connections can be). When nobody answers there for a while,
 * the task is gone and its connections hang: they are cut. So a server that is not wanted may take several looks.
 */
export function runtimeCommands(routes: readonly Route[], servers: readonly ProxyServer[]): readonly string[] {
  const known = new Map<string, ProxyServer>(servers.map((server) => [`${server.section}/${server.id}`, server]))
  const wanted = wantedServers(routes)
  const surplus = [...known].filter(([name]) => !wanted.has(name)).flatMap(([name, server]) => takeOut(name, server))
  const added = [...wanted].filter(([name]) => !known.has(name)).map(([, { route }]) => route)
  const sticky = new Set(added.filter((route) => ruleOf(route).sticky !== null).map(sectionName))
  const changes = [...wanted].map(([name, server]) => bringIn(name, server, known.get(name)))
  return [
    // Requests go on between two commands: nobody goes before those are there who take the place.
    ...changes.flatMap((change) => change.more),
    ...changes.flatMap((change) => change.less),
    // A server that is added later gets its part in the cookie only when that is asked for again.
    ...[...sticky].map((section) => `enable dynamic-cookie backend ${section}`),
    ...surplus,
  ]
}

function wantedServers(routes: readonly Route[]): ReadonlyMap<string, Wanted> {
  return new Map(
    routes.flatMap((route) => {
      const weights = backendWeights(route.backends, route.groups)
      const section = sectionName(route)
      return route.backends.map(
        (backend) => [`${section}/${backend.id}`, { route, backend, weight: weights.get(backend.id) ?? 0 }] as const,
      )
    }),
  )
}

/** Commands after which it takes more than before, and those after which it takes less. */
interface ServerChange {
  readonly more: readonly string[]
  readonly less: readonly string[]
}

function bringIn(name: string, { route, backend, weight }: Wanted, server: ProxyServer | undefined): ServerChange {
  const rule = ruleOf(route)
  // Clients with a cookie would still be let in to one that drains.
  const draining = rule.sticky === null ? 'draining' : 'maintenance'
  const state = backend.state === 'ready' ? 'ready' : draining
  const tell = `set server ${name} state ${state === 'draining' ? 'drain' : state === 'maintenance' ? 'maint' : 'ready'}`
  if (server === undefined) {
    const options = serverOptions(rule, weight).join(' ')
    return { more: [`add server ${name} ${hostPort(backend)} ${options}`, `enable health ${name}`, tell], less: [] }
  }
  const isMoved = server.address !== backend.address || server.port !== backend.port
  const moves = isMoved ? [`set server ${name} addr ${backend.address} port ${backend.port}`] : []
  const weighs = server.weight === weight ? [] : [`set weight ${name} ${weight}`]
  const tells = server.state === state ? [] : [tell]
  const isLighter = weight < server.weight
  return {
    more: [...moves, ...(isLighter ? [] : weighs), ...(state === 'ready' ? tells : [])],
    less: [...(isLighter ? weighs : []), ...(state === 'ready' ? [] : tells)],
  }
}

/** What was under way when a task died is sent to another one within this time: whoever is cut before gets no answer. */
const CUT_AFTER_MS = 10_000

function takeOut(name: string, server: ProxyServer): readonly string[] {
  if (server.connections === 0) return [`set server ${name} state maint`, `del server ${name}`]
  if (!server.isUp && server.unchangedMs >= CUT_AFTER_MS) return [`shutdown sessions server ${name}`]
  return server.state === 'ready' ? [`set server ${name} state drain`] : []
}

/** Servers that no route wants are still there. */
export function hasSurplus(routes: readonly Route[], servers: readonly ProxyServer[]): boolean {
  const wanted = wantedServers(routes)
  return servers.some((server) => !wanted.has(`${server.section}/${server.id}`))
}

/**
 * Whether a worker of before a reload, which has these servers, would refuse somebody whom the new one serves: it knows none of those who are ready for a route, and has nothing
 * under way for anybody.
 */
export function isStale(routes: readonly Route[], servers: readonly ProxyServer[]): boolean {
  if (servers.some((server) => server.connections > 0)) return false
  const known = Map.groupBy(servers, (server) => server.section)
  return routes.some((route) => {
    const ready = route.backends.filter((backend) => backend.state === 'ready').map((backend) => backend.id)
    const own = known.get(sectionName(route)) ?? []
    return own.length > 0 && ready.length > 0 && !own.some((server) => ready.includes(server.id))
  })
}

type Maps = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Commands that make what the proxy looks up what is wanted. Pure. Nothing that stays is ever missing. */
export function mapCommands(wanted: Maps, known: Maps): readonly string[] {
  return [...wanted].flatMap(([path, entries]) => {
    const told = known.get(path) ?? new Map<string, string>()
    const set = [...entries].flatMap(([key, value]) => {
      const old = told.get(key)
      if (old === value) return []
      return [`${old === undefined ? 'add' : 'set'} map ${path} ${key} ${value}`]
    })
    const gone = [...told.keys()].filter((key) => !entries.has(key)).map((key) => `del map ${path} ${key}`)
    return [...set, ...gone]
  })
}
