import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { before, test } from 'node:test'
import { promisify } from 'node:util'

import type { ContainerId } from '#base'

import { networkFixture } from './network-fixture.ts'

const fixture = networkFixture({ readResolvConf: () => 'nameserver 127.0.0.1\nsearch example.org\n' })
const { networks, host, container, pinOf } = fixture

before(async () => {
  await networks.recover({ pidOf: () => null })
  networks.create({ name: 'names' })
  networks.create({ name: 'elsewhere' })
  networks.create({ name: 'six', hasIpv6: true })
})

const TYPE = { a: 1, ptr: 12, aaaa: 28 }

/** Asks 127.0.0.11 inside the sandbox and gives the code with the answers' raw values. */
function ask(containerId: ContainerId, name: string, type = TYPE.a): Promise<{ code: number; values: readonly string[] }> {
  const query = queryOf(name, type)
  const socket = createSocket('udp4')
  // Bound inside by the host, so that the query leaves from within.
  socket.bind({ fd: host.sockets.boundUdp({ netnsPin: pinOf(containerId), address: '127.0.0.1', port: 0 }).fd })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.close()
      reject(new Error(`no answer for ${name}`))
    }, 2000)
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

test('after a restart of the daemon names, ports and addresses of running containers are as before, and the rest is swept', async () => {
  const survivor = await container('survivor', ['names'])
  const gone = await container('gone', ['names'])
  const before = networks.endpointsOf(survivor)[0]
  const [port] = await networks.publish(survivor, [{ containerPort: 5000, protocol: 'tcp', hostIp: '', hostPort: null }])
  await networks.shutdown({ remove: false })
  await assert.rejects(ask(survivor, 'survivor'))
  const restarted = fixture.again()
  await restarted.recover({ pidOf: (id) => (id === survivor ? process.pid : null) })
  assert.deepEqual(await ask(survivor, 'survivor'), { code: 0, values: [before?.ipAddress] })
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
