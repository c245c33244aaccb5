import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { before, test } from 'node:test'

import { networkFixture } from './network-fixture.ts'

const fixture = networkFixture()
const { networks, host, root, suffix, defer, container, serve, hear } = fixture

before(async () => {
  await networks.recover({ pidOf: () => null })
  networks.create({ name: 'front' })
  networks.create({ name: 'back' })
  networks.create({ name: 'inner', isInternal: true })
})

test('containers of one network reach each other, those of different networks do not', async () => {
  const web = await container('web', ['front'])
  const neighbour = await container('neighbour', ['front'])
  const stranger = await container('stranger', ['back'])
  serve(web, 80, 'web')
  const address = networks.endpointsOf(web)[0]?.ipAddress ?? ''
  const from = networks.endpointsOf(neighbour)[0]?.ipAddress ?? ''
  assert.equal(await hear(neighbour, address, 80), `web to ${from}`)
  assert.equal(await hear(stranger, address, 80), 'no answer')
  assert.match(await hear('host', address, 80), /^web to /)
  assert.ok((networks.statistics(web).eth0?.rxBytes ?? 0) > 0)
})

test('a published port answers on the loopback, on the address of the host, to other networks, to an outside host and to its own container', async () => {
  const api = await container('api', ['front'])
  const other = await container('other', ['back'])
  const sibling = await container('sibling', ['front'])
  serve(api, 8080, 'api')
  const [published] = await networks.publish(api, [{ containerPort: 8080, protocol: 'tcp', hostIp: '', hostPort: null }])
  assert.equal(published?.hostIp, '0.0.0.0')
  const port = published?.hostPort ?? 0
  const uplink = host.links.uplink()
  const hostAddress = host.links
    .listAddresses()
    .find(({ linkIndex, address }) => linkIndex === uplink?.index && address.includes('.'))
    ?.address.split('/')[0]
  assert.ok(hostAddress !== undefined)
  const outside = outsideHost()
  const heard = {
    loopback: await hear('host', '127.0.0.1', port),
    hostAddress: await hear('host', hostAddress, port),
    otherNetwork: await hear(other, hostAddress, port),
    sibling: await hear(sibling, hostAddress, port),
    itself: await hear(api, hostAddress, port),
    outside: await hearFrom(outside.pin, outside.gateway, port),
  }
  for (const [who, text] of Object.entries(heard)) assert.match(text, /^api to /, who)
  assert.equal(heard.outside, `api to ${outside.address}`)
  networks.unpublish(api)
  await new Promise((done) => setTimeout(done, 300))
  assert.equal(await hear('host', '127.0.0.1', port), 'no answer')
})

/** A machine beyond a router port of this one. */
function outsideHost(): { pin: string; address: string; gateway: string } {
  const pin = join(root, 'outside')
  host.namespaces.createNetwork(pin)
  defer(() => host.namespaces.removeNetwork(pin))
  const [near, far] = [`gbo-${suffix}`, `gbp-${suffix}`]
  const ip = (...args: readonly string[]) => execFileSync('ip', args)
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far)
  defer(() => host.links.deleteLink(near))
  execFileSync('nsenter', [`--net=${pin}`, 'sleep', '0'])
  execFileSync('bash', ['-c', 'ip link set "$0" netns /proc/self/fd/3 3<"$1"', far, pin], { stdio: 'pipe' })
  ip('address', 'add', '10.213.7.1/30', 'dev', near)
  ip('link', 'set', near, 'up')
  const inside = (...args: readonly string[]) => execFileSync('nsenter', [`--net=${pin}`, 'ip', ...args])
  inside('address', 'add', '10.213.7.2/30', 'dev', far)
  inside('link', 'set', far, 'up')
  inside('route', 'add', 'default', 'via', '10.213.7.1')
  return { pin, address: '10.213.7.2', gateway: '10.213.7.1' }
}

async function hearFrom(pin: string, address: string, port: number): Promise<string> {
  const args = [`--net=${pin}`, 'timeout', '1.5', 'bash', '-c', 'exec 3<>"/dev/tcp/$0/$1" && cat <&3', address, String(port)]
  return await new Promise((resolve) => {
    execFile('nsenter', args, (error, stdout) => resolve(error === null ? stdout : 'no answer'))
  })
}

test('a published UDP port carries datagrams', async () => {
  const log = await container('log', ['front'])
  const socket = createSocket('udp4')
  socket.bind({ fd: host.sockets.boundUdp({ netnsPin: fixture.pinOf(log), address: '0.0.0.0', port: 514 }).fd })
  defer(() => void socket.close())
  const [published] = await networks.publish(log, [{ containerPort: 514, protocol: 'udp', hostIp: '', hostPort: null }])
  const received = new Promise<string>((resolve) => socket.once('message', (message) => resolve(message.toString())))
  const sender = createSocket('udp4')
  sender.send('hello', published?.hostPort ?? 0, '127.0.0.1', () => sender.close())
  assert.equal(await received, 'hello')
})

test('a client of a published UDP port that keeps its own port is heard by the next container', async () => {
  const listen = async (name: string) => {
    const id = await container(name, ['front'])
    const socket = createSocket('udp4')
    socket.bind({ fd: host.sockets.boundUdp({ netnsPin: fixture.pinOf(id), address: '0.0.0.0', port: 515 }).fd })
    defer(() => void socket.close())
    return { id, next: async () => String((await once(socket, 'message', { signal: AbortSignal.timeout(2000) }))[0]) }
  }
  const client = createSocket('udp4')
  defer(() => void client.close())
  const free = host.sockets.boundUdp({ address: '127.0.0.1', port: 0 })
  closeSync(free.fd)
  const range = { first: free.port, last: free.port }
  const request = { containerPort: 515, protocol: 'udp', hostIp: '', hostPort: range } as const
  const say = (text: string) => client.send(text, free.port, '127.0.0.1')
  // Before anybody has the port: the host itself is what the client talks to.
  say('nobody hears this')
  for (const name of ['udp-first', 'udp-second']) {
    const server = await listen(name)
    await networks.publish(server.id, [request])
    const heard = server.next()
    say(name)
    assert.equal(await heard, name)
    await networks.sandboxRemove(server.id)
  }
})

test('an SCTP port is one container’s', async () => {
  const [one, two] = [await container('sctp-one', ['front']), await container('sctp-two', ['front'])]
  const request = { containerPort: 9899, protocol: 'sctp', hostIp: '', hostPort: { first: 39_899, last: 39_899 } } as const
  assert.equal((await networks.publish(one, [request]))[0]?.hostPort, 39_899)
  await assert.rejects(networks.publish(two, [request]), { code: 'network.port_in_use' })
  assert.match(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }), /sctp \. 39899 : [0-9.]+ \. 9899/)
  networks.unpublish(one)
})

test('a published port follows the default route to the next network, and comes back to one of higher priority', async () => {
  const mover = await container('mover', ['front', 'back'])
  serve(mover, 85, 'mover')
  const [published] = await networks.publish(mover, [{ containerPort: 85, protocol: 'tcp', hostIp: '', hostPort: null }])
  const port = published?.hostPort ?? 0
  const [, back] = networks.endpointsOf(mover)
  await networks.detach(mover, 'front')
  assert.deepEqual(networks.publishedPorts(mover), [published])
  assert.match(await hear('host', '127.0.0.1', port), new RegExp(`^mover to ${back?.gateway}`))
  await networks.attach({ containerId: mover, containerName: 'mover', network: 'front', gatewayPriority: 1 })
  const front = networks.endpointsOf(mover).find(({ networkName }) => networkName === 'front')
  assert.match(await hear('host', '127.0.0.1', port), new RegExp(`^mover to ${front?.gateway}`))
})

test('an endpoint has the link name, sysctls and link-local address that were asked for, and nothing else is taken', async () => {
  const id = await container('special', [])
  const driverOptions = {
    'com.docker.network.endpoint.ifname': 'lan.7',
    'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1',
  }
  const request = { containerId: id, containerName: 'special', network: 'front' }
  const wanted = { driverOptions, linkLocalAddresses: ['169.254.7.7'] }
  await networks.attach({ ...request, ...wanted })
  const inside = (...args: readonly string[]) =>
    execFileSync('nsenter', [`--net=${fixture.pinOf(id)}`, ...args], { encoding: 'utf8' })
  assert.match(inside('ip', '-4', '-o', 'address', 'show', 'lan.7'), /169\.254\.7\.7\/16/)
  assert.equal(host.kernel.readSysctl('net/ipv4/conf/lan.7/log_martians', fixture.pinOf(id)), '1')
  await assert.rejects(networks.attach({ ...request, network: 'back', driverOptions: { speed: 'high' } }), {
    code: 'network.unsupported',
    message: /driver option speed/,
  })
  await assert.rejects(networks.attach({ ...request, network: 'back', linkLocalAddresses: ['10.0.0.1'] }), {
    code: 'network.invalid',
  })
  const unknown = { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.no_such_thing=1' }
  await assert.rejects(networks.attach({ ...request, network: 'back', driverOptions: unknown }), { code: 'host.sysctl_failed' })
  assert.equal(networks.endpointsOf(id).length, 1)
  assert.doesNotMatch(inside('ip', '-o', 'link'), /eth0/)
})

test('without inter-container traffic neighbours are strangers, but published ports still answer', async () => {
  networks.create({ name: 'quiet', options: { 'com.docker.network.bridge.enable_icc': 'false' } })
  const a = await container('qa', ['quiet'])
  const b = await container('qb', ['quiet'])
  serve(a, 81, 'quiet')
  const address = networks.endpointsOf(a)[0]?.ipAddress ?? ''
  assert.equal(await hear(b, address, 81), 'no answer')
  const [published] = await networks.publish(a, [{ containerPort: 81, protocol: 'tcp', hostIp: '', hostPort: null }])
  assert.match(await hear('host', '127.0.0.1', published?.hostPort ?? 0), /^quiet/)
})

test('from outside nobody reaches a port that is not published', async () => {
  const hidden = await container('hidden', ['front'])
  serve(hidden, 90, 'hidden')
  const address = networks.endpointsOf(hidden)[0]?.ipAddress ?? ''
  assert.equal(await hearFrom(join(root, 'outside'), address, 90), 'no answer')
  assert.match(await hear('host', address, 90), /^hidden/)
})

test('a port on one address of the host answers there only, and a taken one says who has it', async () => {
  const one = await container('one', ['front'])
  const two = await container('two', ['front'])
  serve(one, 70, 'one')
  const request = (port: number, hostIp: string) => ({
    containerPort: 70,
    protocol: 'tcp' as const,
    hostIp,
    hostPort: { first: port, last: port },
  })
  const free = host.sockets.reservePort({ address: '127.0.0.1', port: 0, protocol: 'tcp' })
  const port = free.port
  free[Symbol.dispose]()
  await networks.publish(one, [request(port, '127.0.0.1')])
  assert.match(await hear('host', '127.0.0.1', port), /^one/)
  assert.equal(await hearFrom(join(root, 'outside'), '10.213.7.1', port), 'no answer')
  await assert.rejects(networks.publish(two, [request(port, '')]), {
    code: 'network.port_in_use',
    message: new RegExp(`Bind for 0.0.0.0:${port} failed: port is already allocated .*published by container one`),
  })
  await networks.sandboxRemove(one)
  const listener = host.sockets.listeningTcp({ address: '0.0.0.0', port: 0 })
  await assert.rejects(networks.publish(two, [request(listener.port, '')]), {
    code: 'network.port_in_use',
    message: /a process of this host has it/,
  })
  // The same port again right away, before its old rules were removed in the background.
  assert.deepEqual(await networks.publish(two, [request(port, '')]), [
    { hostIp: '0.0.0.0', hostPort: port, containerPort: 70, protocol: 'tcp' },
  ])
  serve(two, 70, 'two')
  assert.match(await hear('host', '127.0.0.1', port), /^two/)
})

test('an internal network has no way out and publishes nothing', async () => {
  const inner = await container('inner', ['inner'])
  const peer = await container('peer', ['inner'])
  serve(peer, 60, 'peer')
  const address = networks.endpointsOf(peer)[0]?.ipAddress ?? ''
  assert.match(await hear(inner, address, 60), /^peer/)
  assert.equal(
    execFileSync('nsenter', [`--net=${fixture.pinOf(inner)}`, 'ip', 'route', 'show', 'default'], { encoding: 'utf8' }),
    '',
  )
  await assert.rejects(networks.publish(inner, [{ containerPort: 60, protocol: 'tcp', hostIp: '', hostPort: null }]), {
    code: 'network.invalid',
  })
})

test('leaving the network with the default route moves the route to another one', async () => {
  const both = await container('both', ['front', 'back'])
  const [front, back] = networks.endpointsOf(both)
  const route = () =>
    execFileSync('nsenter', [`--net=${fixture.pinOf(both)}`, 'ip', 'route', 'show', 'default'], { encoding: 'utf8' })
  assert.match(route(), new RegExp(`via ${front?.gateway} dev eth0`))
  await networks.detach(both, 'front')
  assert.match(route(), new RegExp(`via ${back?.gateway} dev eth1`))
  await networks.attach({ containerId: both, containerName: 'both', network: 'front' })
  assert.deepEqual(
    networks.endpointsOf(both).map(({ guestLink, networkName, ipAddress }) => [guestLink, networkName, ipAddress]),
    [
      ['eth1', 'back', back?.ipAddress],
      ['eth0', 'front', front?.ipAddress],
    ],
  )
})

test('IPv6 works inside a network and through a published port, without a wait for duplicate address detection', async () => {
  const start = performance.now()
  networks.create({ name: 'six', hasIpv6: true })
  const a = await container('a', ['six'])
  const b = await container('b', ['six'])
  const address = networks.endpointsOf(a)[0]?.ipv6Address ?? ''
  assert.match(address, /^fd/)
  const server = createServer((socket) => void socket.on('error', () => undefined).end('six'))
  server.listen({ fd: host.sockets.listeningTcp({ netnsPin: fixture.pinOf(a), address: '::', port: 66 }).fd })
  defer(() => void server.close())
  assert.equal(await hear(b, address, 66), 'six')
  assert.ok(performance.now() - start < 900)
  const ports = await networks.publish(a, [{ containerPort: 66, protocol: 'tcp', hostIp: '', hostPort: null }])
  assert.deepEqual(
    ports.map(({ hostIp }) => hostIp),
    ['0.0.0.0', '::'],
  )
  assert.equal(ports[0]?.hostPort, ports[1]?.hostPort)
  const uplink = host.links.uplink()
  const hostAddress = host.links
    .listAddresses()
    .find(({ linkIndex, address: own }) => linkIndex === uplink?.index && own.includes(':') && !own.startsWith('fe80'))
    ?.address.split('/')[0]
  if (hostAddress !== undefined)
    for (const from of [b, a, 'host'] as const) assert.equal(await hear(from, hostAddress, ports[1]?.hostPort ?? 0), 'six')
  // Refused at once, so that clients of "localhost" come back over IPv4.
  const asked = performance.now()
  assert.equal(await hear('host', '::1', ports[1]?.hostPort ?? 0), 'no answer')
  assert.ok(performance.now() - asked < 1000)
  await assert.rejects(networks.publish(a, [{ containerPort: 66, protocol: 'tcp', hostIp: '::1', hostPort: null }]), {
    code: 'network.unsupported',
    message: /on ::1/,
  })
})

test('attaching a container takes a few milliseconds', async () => {
  const times: number[] = []
  for (let at = 0; at < 10; at += 1) {
    const start = performance.now()
    await container(`quick-${at}`, ['front'])
    times.push(performance.now() - start)
  }
  // The fastest: what other programs do to the machine meanwhile is not ours.
  const fastest = Math.min(...times)
  assert.ok(fastest < 10, `${fastest.toFixed(2)} ms at best`)
})
