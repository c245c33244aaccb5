import { ruleOf } from './entries.ts'
import { sectionName } from './names.ts'
import type { ProxyServer, Route, RouteStatus } from './port.ts'

/** Pure. The shares are those that the proxy's weights make, among the servers that take new requests now. */
export function routeStatus(seen: {
  readonly route: Route
  readonly isShifted: boolean
  readonly problem: string | null
  readonly servers: readonly ProxyServer[]
}): RouteStatus {
  const { route, isShifted, problem, servers } = seen
  const rule = ruleOf(route)
  const section = sectionName(route)
  const own = servers.filter((server) => server.section === section)
  const takes = (server: ProxyServer) => (server.state === 'ready' && server.isUp ? server.weight : 0)
  const sum = own.reduce((total, server) => total + takes(server), 0)
  return {
    id: route.id,
    mode: route.mode,
    hostIp: route.hostIp,
    hostPort: route.hostPort,
    hosts: rule.hosts,
    path: rule.path.type === 'exact' ? `=${rule.path.value}` : rule.path.value,
    certificate: rule.tls?.certificate.type ?? null,
    problem,
    isShifted,
    groups: route.groups ?? [],
    backends: own.map((server) => ({
      id: server.id,
      address: server.address,
      port: server.port,
      group: route.backends.find((backend) => backend.id === server.id)?.group ?? '',
      state: server.state,
      isUp: server.isUp,
      share: sum === 0 ? 0 : takes(server) / sum,
      connections: server.connections,
    })),
  }
}
