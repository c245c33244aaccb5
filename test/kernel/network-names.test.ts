import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { before, test } from 'node:test'
import { promisify } from 'node:util'

import { newId, systemRandom } from '#base'
import type { ContainerId } from '#base'

import { networkFixture } from './network-fixture.ts'

const fixture = networkFixture({ readResolvConf: () => 'nameserver 127.0.0.1\nsearch example.org\n' })
const { networks, host, container, pinOf, defer } = fixture

before(async () => {
  await networks.recover({ pidOf: () => null })
  networks.create({ name: 'names' })
  networks.create({ name: 'elsewhere' })
  networks.create({ name: 'six', hasIpv6: true })
})

const TYPE = { a: 1, ptr: 12, aaaa: 28 }

/** Asks 127.0.0.11 inside the sandbox and gives the code with the answers' raw values. */
function ask(
  containerId: ContainerId,
  name: string,
  type = TYPE.a,
  { timeoutMs } = { timeoutMs: 2000 },
): Promise<{ code: number; values: readonly string[] }> {
  const query = queryOf(name, type)
  const socket = createSocket('udp4')
  // Bound inside by the host, so that the query leaves from within.
  socket.bind({ fd: host.sockets.boundUdp({ netnsPin: pinOf(containerId), address: '127.0.0.1', port: 0 }).fd })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.close()
      reject(new Error(`no answer for ${name}`))
    }, timeoutMs)
    socket.on('error', () => undefined)
    socket.on('message', (reply) => {
      clearTimeout(timer)
      socket.close()
      resolve(readReply(reply, query.length))
    })
    socket.send(query, 53, '127.0.0.11')
  })
}

function queryOf(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.from([0, 0, type, 0, 1])])
}

function readReply(reply: Buffer, questionEnd: number): { code: number; values: readonly string[] } {
  assert.equal(reply.readUInt16BE(0), 0x1234)
  const values: string[] = []
  let at = questionEnd
  for (let left = reply.readUInt16BE(6); left > 0; left -= 1) {
    const length = reply.readUInt16BE(at + 10)
    const value = reply.subarray(at + 12, at + 12 + length)
    values.push(length === 4 ? value.join('.') : value.toString('latin1'))
    at += 12 + length
  }
  return { code: (reply[3] ?? 0) & 0xf, values }
}

test('a container finds others by name, alias, short id and name with network, and nobody of another network', async () => {
  const db = await container('db', ['names'], ['postgres'])
  const web = await container('web', ['names'])
  const stranger = await container('stranger', ['elsewhere'])
  const address = networks.endpointsOf(db)[0]?.ipAddress
  for (const name of ['db', 'DB', 'postgres', db.slice(0, 12), 'db.names'])
    assert.deepEqual(await ask(web, name), { code: 0, values: [address] }, name)
  assert.deepEqual(await ask(web, 'db', TYPE.aaaa), { code: 0, values: [] })
  assert.notEqual((await ask(stranger, 'db')).code, 0)
  const reverse = `${address?.split('.').toReversed().join('.')}.in-addr.arpa`
  assert.match((await ask(web, reverse, TYPE.ptr)).values[0] ?? '', /db.*names/s)
  networks.rename(db, 'base')
  assert.deepEqual(await ask(web, 'base'), { code: 0, values: [address] })
  assert.notEqual((await ask(web, 'db')).code, 0)
  await networks.sandboxRemove(db)
  assert.notEqual((await ask(web, 'base')).code, 0)
})

test('replicas behind one alias all answer, in changing order', async () => {
  const client = await container('client', ['names'])
  for (const at of [1, 2, 3]) await container(`app-${at}`, ['names'], ['app'])
  const firsts = new Set<string | undefined>()
  for (let at = 0; at < 30; at += 1) {
    const { values } = await ask(client, 'app')
    assert.equal(values.length, 3)
    firsts.add(values[0])
  }
  assert.equal(firsts.size, 3)
})

test('an IPv6 address is answered where there is one', async () => {
  const a = await container('a6', ['six'])
  assert.equal((await ask(a, 'a6', TYPE.aaaa)).values[0]?.length, 16)
})

test('names are answered over TCP as well', async () => {
  const server = await container('tcp-server', ['names'])
  const client = await container('tcp-client', ['names'])
  const query = queryOf('tcp-server', TYPE.a)
  const reply = await askTcp(client, query)
  assert.deepEqual(readReply(reply.subarray(2), query.length).values, [networks.endpointsOf(server)[0]?.ipAddress])
})

/** From a process inside: a connection of this one would be made in the daemon's namespace. */
async function askTcp(containerId: ContainerId, query: Buffer): Promise<Buffer> {
  const octal = [0, query.length, ...query].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  const script = 'exec 3<>/dev/tcp/127.0.0.11/53 && printf "$0" >&3 && timeout 1 cat <&3; true'
  const { stdout } = await promisify(execFile)('nsenter', [`--net=${pinOf(containerId)}`, 'bash', '-c', script, octal], {
    encoding: 'buffer',
  })
  return stdout
}

test('resolv.conf and hosts say where to ask', async () => {
  const named = await container('named', ['names'])
  const files = networks.identityFiles(named, { hostname: 'named', extraHosts: ['gate:host-gateway', 'fixed:10.0.0.9'] })
  const [endpoint] = networks.endpointsOf(named)
  assert.equal(files.resolvConf, 'nameserver 127.0.0.11\nsearch example.org\noptions ndots:0\n')
  assert.match(files.hosts, new RegExp(`^${endpoint?.ipAddress}\tnamed$`, 'm'))
  assert.match(files.hosts, new RegExp(`^${endpoint?.gateway}\tgate$`, 'm'))
  assert.match(files.hosts, /^10\.0\.0\.9\tfixed$/m)
  assert.equal(files.hostname, 'named\n')
  // The host's only name server listens on its loopback: containers of the default bridge ask through us.
  const plain = await container('plain', ['bridge'])
  assert.match(networks.identityFiles(plain, { hostname: 'plain' }).resolvConf, /^nameserver 127\.0\.0\.11$/m)
  assert.notEqual((await ask(plain, 'named')).code, 0)
})

/** Ports of 127.0.0.11 in a sandbox, UDP first. */
function serversIn(containerId: ContainerId): readonly number[] {
  const list = (table: string) =>
    execFileSync('nsenter', [`--net=${pinOf(containerId)}`, 'cat', `/proc/net/${table}`], { encoding: 'utf8' })
  return ['udp', 'tcp'].flatMap((table) =>
    [...list(table).matchAll(/ 0B00007F:([0-9A-F]{4}) /g)].map(([, port = '']) => Number.parseInt(port, 16)),
  )
}

test('a container serves names itself on port 53 of all its addresses, and still finds others', async () => {
  const server = await container('own-dns', ['names'])
  const udp = createSocket('udp4')
  defer(() => void udp.close())
  udp.bind({ fd: host.sockets.boundUdp({ netnsPin: pinOf(server), address: '0.0.0.0', port: 53 }).fd })
  udp.on('message', (query, peer) => udp.send(refusal(query), peer.port, peer.address))
  fixture.serve(server, 53, 'names over TCP')
  const address = networks.endpointsOf(server)[0]?.ipAddress ?? ''
  assert.deepEqual(await ask(server, 'own-dns'), { code: 0, values: [address] })
  const client = await container('own-dns-client', ['names'])
  assert.match(await fixture.hear(client, address, 53), /^names over TCP/)
  // Named by --dns, it is asked about what we do not know: from its neighbour's place, and not from the host's.
  const asking = await userOf('asks-neighbour', address)
  assert.deepEqual(await ask(asking, 'example.org'), { code: 5, values: [] })
  const itself = await userOf('asks-itself', '127.0.0.1')
  const own = createSocket('udp4')
  defer(() => void own.close())
  own.bind({ fd: host.sockets.boundUdp({ netnsPin: pinOf(itself), address: '127.0.0.1', port: 53 }).fd })
  own.on('message', (query, peer) => own.send(refusal(query), peer.port, peer.address))
  assert.deepEqual(await ask(itself, 'example.org'), { code: 5, values: [] })
})

/** An answer that nobody else gives. */
function refusal(query: Buffer): Buffer {
  const reply = Buffer.from(query)
  reply.writeUInt16BE(0x8185, 2)
  return reply
}

/** A container with a name server of the user's. */
async function userOf(name: string, nameServer: string): Promise<ContainerId> {
  const containerId = newId<ContainerId>(systemRandom())
  networks.sandboxCreate(containerId, { nameServers: [nameServer] })
  await networks.attach({ containerId, containerName: name, network: 'names' })
  return containerId
}

test('a link is a name that only its own container knows', async () => {
  const target = await container('link-target', ['names'])
  const [one, other] = [newId<ContainerId>(systemRandom()), await container('unlinked', ['names'])]
  networks.sandboxCreate(one)
  const links = [{ alias: 'database', target: 'link-target' }]
  await networks.attach({ containerId: one, containerName: 'linked', network: 'names', links })
  assert.deepEqual((await ask(one, 'database')).values, [networks.endpointsOf(target)[0]?.ipAddress])
  assert.notEqual((await ask(other, 'database')).code, 0)
})

test('after a restart of the daemon names, ports and addresses of running containers are as before, and the rest is swept', async () => {
  const survivor = await container('survivor', ['names'])
  const gone = await container('gone', ['names'])
  const before = networks.endpointsOf(survivor)[0]
  const [port] = await networks.publish(survivor, [{ containerPort: 5000, protocol: 'tcp', hostIp: '', hostPort: null }])
  const listening = serversIn(survivor)
  await networks.shutdown({ remove: false })
  // Nobody refuses: a resolver that asks now asks again, and by then the daemon may be back.
  await assert.rejects(ask(survivor, 'survivor', TYPE.a, { timeoutMs: 300 }), /no answer/)
  assert.deepEqual(serversIn(survivor), [])
  const restarted = fixture.again()
  await restarted.recover({ pidOf: (id) => (id === survivor ? process.pid : null) })
  assert.deepEqual(await ask(survivor, 'survivor'), { code: 0, values: [before?.ipAddress] })
  assert.deepEqual(serversIn(survivor), listening)
  assert.deepEqual(restarted.publishedPorts(survivor), [port])
  assert.equal(restarted.sandboxPath(gone), undefined)
  assert.equal(host.namespaces.isPinned(pinOf(gone)), false)
  assert.throws(() => host.sockets.listeningTcp({ address: '0.0.0.0', port: port?.hostPort ?? 0 }), {
    code: 'host.address_in_use',
  })
  fixture.serve(survivor, 5000, 'still here')
  assert.match(await fixture.hear('host', '127.0.0.1', port?.hostPort ?? 0), /^still here/)
  await restarted.shutdown({ remove: false })
})
