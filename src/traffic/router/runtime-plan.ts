import { hostPort, sectionName, SERVER_OPTIONS } from './config.ts'
import type { Backend, ProxyServer, Route } from './port.ts'

/**
 * Commands of the runtime socket that make the servers what the routes want. Pure. Connections of a server that is not wanted may end in
 * peace: it drains, and is deleted once it has none (only one in maintenance without connections can be). When nobody answers there any more,
 * the task is gone and its connections hang: they are cut. So a server that is not wanted may take several looks.
 */
export function runtimeCommands(routes: readonly Route[], servers: readonly ProxyServer[]): readonly string[] {
  const known = new Map<string, ProxyServer>(servers.map((server) => [`${server.section}/${server.id}`, server]))
  const wanted = new Map(
    routes.flatMap((route) => route.backends.map((backend) => [serverName(route, backend.id), backend] as const)),
  )
  const surplus = [...known].filter(([name]) => !wanted.has(name)).flatMap(([name, server]) => takeOut(name, server))
  return [...[...wanted].flatMap(([name, backend]) => bringIn(name, backend, known.get(name))), ...surplus]
}

function serverName(route: Route, id: string): string {
  return `${sectionName(route)}/${id}`
}

function bringIn(name: string, backend: Backend, server: ProxyServer | undefined): readonly string[] {
  const state = `set server ${name} state ${backend.state === 'ready' ? 'ready' : 'drain'}`
  if (server === undefined) return [`add server ${name} ${hostPort(backend)} ${SERVER_OPTIONS}`, `enable health ${name}`, state]
  const isMoved = server.address !== backend.address || server.port !== backend.port
  const move = isMoved ? [`set server ${name} addr ${backend.address} port ${backend.port}`] : []
  return server.state === backend.state ? move : [...move, state]
}

function takeOut(name: string, server: ProxyServer): readonly string[] {
  if (server.connections === 0) return [`set server ${name} state maint`, `del server ${name}`]
  if (!server.isUp) return [`shutdown sessions server ${name}`]
  return server.state === 'draining' ? [] : [`set server ${name} state drain`]
}

/** Servers that no route wants are still there. */
export function hasSurplus(routes: readonly Route[], servers: readonly ProxyServer[]): boolean {
  const wanted = new Set(routes.flatMap((route) => route.backends.map((backend) => serverName(route, backend.id))))
  return servers.some((server) => !wanted.has(`${server.section}/${server.id}`))
}
