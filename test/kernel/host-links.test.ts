import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { errnoOf } from '#host'
import { hostFixture } from './host-fixture.ts'

const { host, root, suffix, defer } = hostFixture()
const bridge = `gbt-${suffix}`
const home = () => readlinkSync('/proc/thread-self/ns/net')

function newNetwork(name: string): string {
  const pin = join(root, name)
  host.namespaces.createNetwork(pin)
  defer(() => host.namespaces.removeNetwork(pin))
  return pin
}

test('a pinned network namespace is another one, and the thread comes back from it whatever happens', () => {
  const before = home()
  const pin = newNetwork('pinned')
  assert.equal(home(), before)
  assert.notEqual(
    host.namespaces.inNetwork(pin, () => home()),
    before,
  )
  assert.throws(
    () =>
      host.namespaces.inNetwork(pin, () => {
        throw new Error('inside')
      }),
    /inside/,
  )
  assert.equal(home(), before)
  assert.throws(() => host.namespaces.createNetwork(pin), { code: 'host.namespace_failed', details: { errno: 'EEXIST' } })
  host.namespaces.removeNetwork(pin)
  host.namespaces.removeNetwork(pin)
  assert.throws(() => host.namespaces.inNetwork(pin, () => 0), { code: 'host.namespace_failed', details: { errno: 'ENOENT' } })
})

test('the namespace of a running process can be pinned', () => {
  const pin = newNetwork('original')
  const child = spawn('nsenter', [`--net=${pin}`, 'sleep', '100'], { stdio: 'ignore' })
  defer(() => void child.kill('SIGKILL'))
  const inside = host.namespaces.inNetwork(pin, () => home())
  while (host.namespaces.read(child.pid ?? 0)?.net !== inside) execFileSync('sleep', ['0.01'])
  // As after a restart in another mount namespace: the file is there, the mount is not.
  host.mounts.unmount(pin, { lazy: true })
  assert.equal(host.namespaces.isPinned(pin), false)
  host.namespaces.removeNetwork(pin)
  host.namespaces.pinNetworkOf(child.pid ?? 0, pin)
  assert.equal(host.namespaces.isPinned(pin), true)
  assert.equal(
    host.namespaces.inNetwork(pin, () => home()),
    inside,
  )
})

test('a process tells its namespaces, a gone one none', () => {
  const own = host.namespaces.read(process.pid)
  assert.equal(own?.net, home())
  assert.match(own?.cgroup ?? '', /^cgroup:\[\d+\]$/)
  assert.equal(host.namespaces.read(4_194_304), undefined)
})

test('two containers on a bridge have their addresses, routes and MACs, and reach each other over both families', () => {
  host.links.createBridge({ name: bridge, mtu: 1400, addresses: ['172.31.250.1/24', 'fd00:250::1/64'], mac: '02:42:ac:1f:fa:01' })
  defer(() => host.links.deleteLink(bridge))
  const pins = [2, 3].map((last) => {
    const pin = newNetwork(`peer-${last}`)
    host.links.attachContainer({
      netnsPin: pin,
      bridge,
      hostName: `gbv${last}-${suffix}`,
      guestName: 'eth0',
      mac: `02:42:ac:1f:fa:0${last}`,
      addresses: [`172.31.250.${last}/24`, `fd00:250::${last}/64`],
      gateways: ['172.31.250.1', 'fd00:250::1'],
      mtu: 1400,
      hairpin: true,
    })
    return pin
  })
  const [first, second] = pins
  assert.ok(first !== undefined && second !== undefined)
  const addresses = JSON.parse(inNetwork(second, 'ip', '-j', 'address', 'show', 'dev', 'eth0'))[0]
  assert.equal(addresses.address, '02:42:ac:1f:fa:03')
  assert.equal(addresses.mtu, 1400)
  assert.equal(addresses.addr_info[0].local, '172.31.250.3')
  const routes = JSON.parse(inNetwork(second, 'ip', '-j', 'route'))
  assert.deepEqual([routes[0].dst, routes[0].gateway], ['default', '172.31.250.1'])
  assert.equal(JSON.parse(inNetwork(second, 'ip', '-j', '-6', 'route', 'show', 'default'))[0].gateway, 'fd00:250::1')
  assert.match(execFileSync('ip', ['-d', 'link', 'show', 'dev', `gbv2-${suffix}`], { encoding: 'utf8' }), /hairpin on/)
  for (const [address, peer] of [
    ['172.31.250.2', '172.31.250.3'],
    ['fd00:250::2', 'fd00:250::3'],
  ] as const)
    assert.ok(canSendDatagram(first, address, second, peer), `${peer} reaches ${address}`)
  const link = host.links.listLinks().find(({ name }) => name === `gbv2-${suffix}`)
  const master = host.links.listLinks().find(({ name }) => name === bridge)
  assert.deepEqual([link?.kind, link?.masterIndex, master?.kind, master?.isUp], ['veth', master?.index, 'bridge', true])
  assert.ok(
    host.links.listAddresses().some(({ address, linkIndex }) => address === 'fd00:250::1/64' && linkIndex === master?.index),
  )
  assert.ok(host.links.listRoutes().some(({ destination }) => destination === '172.31.250.0/24'))
  host.links.retireContainer(`gbv3-${suffix}`)
  const retired = host.links.listLinks().find(({ name }) => name === `gbv3-${suffix}`)
  assert.deepEqual([retired?.masterIndex, retired?.isUp], [undefined, false])
  host.links.retireContainer(`no-${suffix}`)
  host.links.detachContainer(`gbv2-${suffix}`)
  host.links.detachContainer(`gbv2-${suffix}`)
})

test('a refused attachment leaves no link behind', () => {
  const pin = newNetwork('refused')
  const attach = (change: object) =>
    host.links.attachContainer({
      netnsPin: pin,
      bridge,
      hostName: `gbx-${suffix}`,
      guestName: 'eth0',
      mac: '02:42:ac:1f:fa:09',
      addresses: ['172.31.250.9/24'],
      mtu: 1400,
      ...change,
    })
  assert.throws(
    () => attach({ gateways: ['10.99.99.99'] }),
    (error) => errnoOf(error) === 'ENETUNREACH',
  )
  assert.throws(
    () => attach({ bridge: `no-${suffix}` }),
    (error) => errnoOf(error) === 'ENODEV',
  )
  assert.throws(() => attach({ hostName: 'a-name-that-is-too-long' }), { code: 'host.link_failed' })
  assert.equal(
    host.links.listLinks().find(({ name }) => name === `gbx-${suffix}`),
    undefined,
  )
})

test('routes come and go within a namespace, and the uplink has an MTU', () => {
  const pin = newNetwork('routes')
  host.links.setLoopbackUp(pin)
  host.links.addAddress('lo', '10.77.0.1/32', pin)
  host.links.addRoute({ destination: '10.78.0.0/16', link: 'lo', netnsPin: pin })
  assert.match(inNetwork(pin, 'ip', 'route'), /10\.78\.0\.0\/16 dev lo/)
  host.links.deleteRoute({ destination: '10.78.0.0/16', link: 'lo', netnsPin: pin })
  host.links.deleteRoute({ destination: '10.78.0.0/16', link: 'lo', netnsPin: pin })
  assert.equal(inNetwork(pin, 'ip', 'route'), '')
  assert.ok((host.links.uplink()?.mtu ?? 0) >= 1280)
})

test('a container attachment takes a few milliseconds at most', () => {
  const pins = Array.from({ length: 10 }, (_, at) => `speed-${at}`)
  const times = pins.map((name, at) => {
    const start = performance.now()
    const pin = newNetwork(name)
    host.links.attachContainer({
      netnsPin: pin,
      bridge,
      hostName: `gbs${at}-${suffix}`,
      guestName: 'eth0',
      mac: `02:42:ac:1f:fa:2${at}`,
      addresses: [`172.31.250.2${at}/24`],
      gateways: ['172.31.250.1'],
      mtu: 1400,
    })
    return performance.now() - start
  })
  const median = times.toSorted((a, b) => a - b)[5] ?? Infinity
  assert.ok(median < 15, `median ${median.toFixed(2)} ms`)
})

/** One datagram from the second namespace to a socket of the first, sent with bash's /dev/udp and read by ss as queued bytes. */
function canSendDatagram(receiver: string, address: string, sender: string, from: string): boolean {
  const { fd } = host.sockets.boundUdp({ netnsPin: receiver, address, port: 9999 })
  assert.ok(fd > 2 && from !== '')
  execFileSync('nsenter', [`--net=${sender}`, 'bash', '-c', 'echo ping > "/dev/udp/$0/9999"', address])
  const queued = inNetwork(receiver, 'ss', '-unaH', 'sport', '=', ':9999')
  return Number(queued.trim().split(/\s+/)[1]) > 0
}

function inNetwork(pin: string, command: string, ...args: readonly string[]): string {
  return execFileSync('nsenter', [`--net=${pin}`, command, ...args], { encoding: 'utf8' })
}

test('sockets are made inside the namespace, are close-on-exec, and say who is in the way', () => {
  const pin = newNetwork('sockets')
  host.links.setLoopbackUp(pin)
  const tcp = host.sockets.listeningTcp({ netnsPin: pin, address: '127.0.0.1', port: 0 })
  assert.ok(tcp.port > 0)
  assert.match(inNetwork(pin, 'ss', '-tlnH'), new RegExp(`127\\.0\\.0\\.1:${tcp.port}`))
  assert.match(readFlags(tcp.fd), /flags:\s+02\d{6}/)
  assert.throws(() => host.sockets.listeningTcp({ netnsPin: pin, address: '127.0.0.1', port: tcp.port }), {
    code: 'host.address_in_use',
  })
  assert.throws(() => host.sockets.boundUdp({ netnsPin: pin, address: '10.1.2.3', port: 53 }), {
    code: 'host.address_not_available',
  })
  const first = host.sockets.reservePort({ netnsPin: pin, protocol: 'udp', address: '0.0.0.0', port: 5353 })
  assert.throws(() => host.sockets.reservePort({ netnsPin: pin, protocol: 'udp', address: '0.0.0.0', port: 5353 }), {
    code: 'host.address_in_use',
  })
  first[Symbol.dispose]()
  host.sockets.reservePort({ netnsPin: pin, protocol: 'udp', address: '0.0.0.0', port: 5353 })[Symbol.dispose]()
})

function readFlags(fd: number): string {
  return execFileSync('cat', [`/proc/${process.pid}/fdinfo/${fd}`], { encoding: 'utf8' })
}

test('nft applies all or nothing, and its complaint is the message', async () => {
  const name = `gbt_${suffix}`
  defer(() => host.nftables.deleteTable('inet', name))
  await host.nftables.apply(`table inet ${name} {\n chain c {\n }\n}\n`)
  assert.match((await host.nftables.listTable('inet', name)) ?? '', /chain c/)
  assert.ok((await host.nftables.listTables()).some((table) => table.name === name && table.family === 'inet'))
  await assert.rejects(host.nftables.apply(`delete table inet ${name}\nadd rule inet ${name} c bogus\n`), {
    code: 'host.nftables_failed',
    message: /bogus/,
  })
  assert.notEqual(await host.nftables.listTable('inet', name), undefined)
  await host.nftables.deleteTable('inet', name)
  await host.nftables.deleteTable('inet', name)
  assert.equal(await host.nftables.listTable('inet', name), undefined)
})

test('a sysctl is read and set in the namespace that was meant', () => {
  const pin = newNetwork('sysctl')
  const own = host.kernel.readSysctl('net.ipv4.ip_forward')
  host.kernel.writeSysctl('net.ipv4.ip_forward', '1', pin)
  assert.equal(host.kernel.readSysctl('net.ipv4.ip_forward', pin), '1')
  host.kernel.writeSysctl('net.ipv4.ip_forward', '0', pin)
  assert.equal(host.kernel.readSysctl('net.ipv4.ip_forward', pin), '0')
  assert.equal(host.kernel.readSysctl('net.ipv4.ip_forward'), own)
  assert.equal(host.kernel.readSysctl('no.such.name'), undefined)
  assert.throws(() => host.kernel.writeSysctl('net.ipv4.ip_forward', 'maybe', pin), { code: 'host.sysctl_failed' })
  writeFileSync(join(root, 'untouched'), '')
  assert.throws(() => host.kernel.readSysctl('../../../tmp'), { code: 'host.sysctl_failed' })
})
