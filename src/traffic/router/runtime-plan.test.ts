import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { checkRoute } from './check-route.ts'
import { proxyConfig } from './config.ts'
import { listeningInodes } from './listen-probe.ts'
import { entryName, sectionName } from './names.ts'
import type { Backend, ProxyServer, Route } from './port.ts'
import { hasSurplus, isStale, runtimeCommands } from './runtime-plan.ts'
import { parseFrontends, parseInfo, parseServers } from './runtime-state.ts'

const OPTIONS = { socketPath: '/run/glovebox/router/haproxy.sock', runAs: null, hasIpv6: true, cookieKey: 'key' }

const anyBackend = fc.record({
  id: fc.constantFrom('web-1', 'web-2', 'web-3'),
  address: fc.constantFrom('10.0.0.2', '10.0.0.3'),
  port: fc.constantFrom(80, 3000),
  state: fc.constantFrom('ready' as const, 'draining' as const),
})

const anyRoutes: fc.Arbitrary<readonly Route[]> = fc
  .uniqueArray(
    fc.record({
      hostIp: fc.constantFrom('', '127.0.0.1', '::1'),
      hostPort: fc.constantFrom(80, 8080),
      mode: fc.constantFrom('tcp' as const, 'http' as const),
      backends: fc.uniqueArray(anyBackend, { selector: (backend) => backend.id }),
    }),
    { selector: (route) => `${route.hostIp} ${route.hostPort}`, maxLength: 4 },
  )
  .map((routes) => routes.map((route) => ({ ...route, id: `shop/${entryName(route.mode, route.hostIp, route.hostPort)}` })))

const anyLife = fc.array(fc.record({ connections: fc.nat(2), isUp: fc.boolean(), unchangedMs: fc.nat(20_000) }), {
  minLength: 1,
  maxLength: 5,
})

/** HAProxy in as far as these commands are concerned: by the rules of its management guide. */
function obey(servers: readonly ProxyServer[], commands: readonly string[]): readonly ProxyServer[] {
  const map = new Map(servers.map((server) => [`${server.section}/${server.id}`, server]))
  for (const command of commands) {
    const words = command.split(' ')
    const name = words[2] === 'sessions' || words[1] === 'sessions' ? (words[3] ?? '') : (words[2] ?? '')
    const server = map.get(name)
    if (words[0] === 'add') {
      assert.equal(server, undefined, `${name} is there already`)
      const [, address = '', port = '0'] = /^\[?(.*?)\]?:(\d+)$/.exec(words[3] ?? '') ?? []
      const [section = '', id = ''] = name.split('/')
      map.set(name, {
        section,
        id,
        address,
        port: Number(port),
        state: 'maintenance',
        isUp: true,
        unchangedMs: 0,
        connections: 0,
        weight: Number(words.at(-1)),
      })
      continue
    }
    if (words[1] === 'weight') {
      const moved = map.get(words[2] ?? '')
      assert.ok(moved !== undefined)
      map.set(words[2] ?? '', { ...moved, weight: Number(words[3]) })
      continue
    }
    assert.ok(server !== undefined, `no such server: ${command}`)
    if (words[0] === 'del') {
      assert.ok(server.state === 'maintenance' && server.connections === 0, `${name} cannot be deleted`)
      map.delete(name)
    } else if (words[0] === 'shutdown') map.set(name, { ...server, connections: 0 })
    else if (words[3] === 'addr') map.set(name, { ...server, address: words[4] ?? '', port: Number(words[6]) })
    else if (words[3] === 'state') {
      const state = ({ ready: 'ready', drain: 'draining', maint: 'maintenance' } as const)[words[4] ?? '']
      map.set(name, { ...server, state: state ?? server.state })
    }
  }
  return [...map.values()]
}

describe('the commands for the servers', () => {
  it('lead from any routes to any others with the same ports, and then are none', () => {
    fc.assert(
      fc.property(anyRoutes, anyRoutes, anyLife, (before, after, life) => {
        let servers = obey([], runtimeCommands(before, []))
        servers = servers.map((server, index) => ({ ...server, ...life[index % life.length] }))
        servers = obey(servers, runtimeCommands(after, servers))
        for (const route of after) {
          for (const backend of route.backends) {
            const server = servers.find((candidate) => candidate.section === sectionName(route) && candidate.id === backend.id)
            assert.deepEqual([server?.address, server?.port, server?.state], [backend.address, backend.port, backend.state])
          }
        }
        // Connections of what is not wanted end at last.
        servers = servers.map((server) => ({ ...server, connections: 0 }))
        servers = obey(servers, runtimeCommands(after, servers))
        assert.equal(hasSurplus(after, servers), false)
        assert.deepEqual(runtimeCommands(after, servers), [])
      }),
    )
  })

  it('never cut a connection to a server that still answers, or did a moment ago', () => {
    fc.assert(
      fc.property(anyRoutes, anyRoutes, fc.boolean(), (before, after, isUp) => {
        const life = { connections: 1, isUp, unchangedMs: 5000 }
        const servers = obey([], runtimeCommands(before, [])).map((server) => ({ ...server, ...life }))
        assert.ok(
          runtimeCommands(after, servers).every((command) => !command.startsWith('shutdown') && !command.startsWith('del')),
        )
      }),
    )
  })
})

describe('the configuration', () => {
  it('has one fingerprint for all sets of servers, and another for other ports', () => {
    fc.assert(
      fc.property(anyRoutes, (routes) => {
        const config = proxyConfig(routes, OPTIONS)
        assert.ok(config.text.includes(`description ${config.fingerprint}\n`))
        const empty = routes.map((route) => ({ ...route, backends: [] }))
        assert.equal(proxyConfig(empty.toReversed(), OPTIONS).fingerprint, config.fingerprint)
        const fewer = proxyConfig(routes.slice(1), OPTIONS).fingerprint
        if (routes.length > 0) assert.notEqual(fewer, config.fingerprint)
      }),
    )
  })

  it('takes no value that could start another line', () => {
    const route: Route = { id: 'r', hostIp: '', hostPort: 80, mode: 'tcp', backends: [] }
    const backend = { id: 'web-1', address: '10.0.0.2', port: 80, state: 'ready' } as const
    checkRoute({ ...route, backends: [backend] }, [])
    for (const id of ['a b', 'a\nb', '', 'a/b'])
      assert.throws(() => checkRoute({ ...route, backends: [{ ...backend, id }] }, []), { code: 'route.invalid' })
    assert.throws(() => checkRoute({ ...route, hostIp: '0.0.0.0:80\n' }, []), { code: 'route.invalid' })
    assert.throws(() => checkRoute({ ...route, backends: [{ ...backend, address: 'db' }] }, []), { code: 'route.invalid' })
    assert.throws(() => checkRoute(route, [{ ...route, id: 'other' }]), /taken by another route/)
  })
})

describe('what HAProxy says', () => {
  it('is read by the names of its columns', () => {
    const state =
      '1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_port srv_uweight\n2 tcp-0.0.0.0-80 1 a 10.0.0.2 2 0 3000 128\n2 tcp-0.0.0.0-80 2 b 10.0.0.3 0 8 3000 1\n\n'
    const stat = '# pxname,svname,scur\ntcp-0.0.0.0-80,FRONTEND,9\ntcp-0.0.0.0-80,a,4\n\n'
    const section = 'tcp-0.0.0.0-80'
    assert.deepEqual(parseServers(state, stat), [
      {
        section,
        id: 'a',
        address: '10.0.0.2',
        port: 3000,
        state: 'ready',
        isUp: true,
        unchangedMs: 0,
        connections: 4,
        weight: 128,
      },
      {
        section,
        id: 'b',
        address: '10.0.0.3',
        port: 3000,
        state: 'draining',
        isUp: false,
        unchangedMs: 0,
        connections: 0,
        weight: 1,
      },
    ])
    assert.deepEqual(parseFrontends(stat), [section])
    assert.deepEqual(parseInfo('Name: HAProxy\nPid: 42\ndescription: abc\n'), { fingerprint: 'abc', workerPid: 42 })
  })

  it('survives any text', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        (a, b) => void [parseServers(a, b), parseFrontends(a), parseInfo(b), listeningInodes(a, 80)],
      ),
    )
  })
})

describe('the holder of a port', () => {
  it('is found by the inode of its listening socket', () => {
    const line = (port: string, state: string) =>
      `   0: 0100007F:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 12345 1 0`
    assert.deepEqual(listeningInodes(`  sl ...\n${line('1F90', '0A')}\n${line('1F90', '01')}\n${line('0050', '0A')}\n`, 8080), [
      'socket:[12345]',
    ])
  })
})

describe('one revision in the place of another', () => {
  const backends = (names: readonly string[], state: Backend['state'], group: string) =>
    names.map((id): Backend => ({ id, address: '10.0.0.1', port: 80, state, group }))
  const routed = (all: readonly Backend[], share: number): readonly Route[] => [
    {
      ...{ id: 'shop/web/80', hostIp: '', hostPort: 80, mode: 'http', backends: all },
      groups: [
        { name: 'old', share: 100 - share },
        { name: 'new', share },
      ],
    },
  ]
  const takes = (servers: readonly ProxyServer[]) => servers.some((server) => server.state === 'ready' && server.weight > 0)

  it('leaves no moment between two commands in which nobody takes requests', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 })
    fc.assert(
      fc.property(names, names, fc.constantFrom(0, 20, 100), fc.boolean(), (old, fresh, share, isLeaving) => {
        const before = routed(backends(old, 'ready', 'old'), 0)
        const young = backends(
          fresh.map((name) => `${name}-new`),
          'ready',
          'new',
        )
        const both = [...backends(old, isLeaving ? 'draining' : 'ready', 'old'), ...young]
        const steps = [before, routed(both, isLeaving ? 100 : share), routed(young, 100)]
        let servers: readonly ProxyServer[] = obey([], runtimeCommands(before, []))
        for (const routes of steps)
          for (const command of runtimeCommands(routes, servers)) {
            servers = obey(servers, [command])
            assert.ok(takes(servers), command)
          }
      }),
    )
  })
})

describe('a worker of before a reload', () => {
  const section = sectionName({ id: 'shop/web/80' })
  const backend = (id: string, state: Backend['state'] = 'ready'): Backend => ({ id, address: '10.0.0.1', port: 80, state })
  const routed = (...backends: readonly Backend[]): readonly Route[] => [
    { id: 'shop/web/80', hostIp: '', hostPort: 80, mode: 'http', backends },
  ]
  const server = (id: string, connections = 0): ProxyServer => ({
    ...{ section, id, address: '10.0.0.1', port: 80, state: 'ready', isUp: true, unchangedMs: 0, connections, weight: 1 },
  })

  it('is stale when it knows nobody who is ready and does nothing, and not before', () => {
    assert.equal(isStale(routed(backend('new'), backend('old', 'draining')), [server('old')]), true)
    assert.equal(isStale(routed(backend('new'), backend('old')), [server('old')]), false)
    assert.equal(isStale(routed(backend('new')), [server('old', 1)]), false)
    assert.equal(isStale(routed(backend('old', 'draining')), [server('old')]), false)
    assert.equal(isStale([], [server('old')]), false)
  })
})
