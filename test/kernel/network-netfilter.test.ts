import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import { test } from 'node:test'

import { hostFixture } from './host-fixture.ts'

const { host, root, suffix, defer } = hostFixture()

function newNetwork(name: string): string {
  const pin = join(root, name)
  host.namespaces.createNetwork(pin)
  defer(() => host.namespaces.removeNetwork(pin))
  host.links.setLoopbackUp(pin)
  return pin
}

test('a redirection inside a namespace reads as it was meant and can be replaced', () => {
  const pin = newNetwork('redirect')
  const redirect = (udpPort: number, tcpPort: number) =>
    host.netfilter.redirectLocal({ netnsPin: pin, table: 'names', address: '127.0.0.11', from: 53, udpPort, tcpPort })
  redirect(4000, 4001)
  redirect(40_000, 40_001)
  const listing = execFileSync('nsenter', [`--net=${pin}`, 'nft', 'list', 'ruleset'], { encoding: 'utf8' })
  assert.match(listing, /type nat hook output priority -?\w+; policy accept;/)
  assert.match(listing, /ip daddr 127\.0\.0\.11 .*udp.* dport 53 dnat to 127\.0\.0\.11:40000/)
  assert.match(listing, /ip daddr 127\.0\.0\.11 .*tcp.* dport 53 dnat to 127\.0\.0\.11:40001/)
  assert.match(listing, /ip saddr 127\.0\.0\.11 .*icmp type destination-unreachable drop/)
  assert.equal(listing.match(/dnat/g)?.length, 2)
})

test('tracked connections are forgotten by who answers and by port, and others are left alone', async () => {
  // A rule that asks for the state of connections is what makes a host track them.
  const table = `gbt_${suffix}`
  await host.nftables.apply(`table ip ${table} { chain out { type filter hook output priority 0; ct state new accept; }; }\n`)
  defer(async () => await host.nftables.deleteTable('ip', table))
  const socket = createSocket('udp4')
  defer(() => void socket.close())
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()))
  const { port } = socket.address()
  const other = createSocket('udp4')
  defer(() => void other.close())
  await new Promise<void>((resolve) => other.bind(0, '127.0.0.77', () => resolve()))
  for (const [to, address] of [
    [port, '127.0.0.1'],
    [other.address().port, '127.0.0.77'],
  ] as const)
    await new Promise((resolve) => other.send('x', to, address, resolve))
  const tracked = () =>
    execFileSync('cat', ['/proc/net/nf_conntrack'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(' udp ') && line.includes(`dst=127.0.0.1 sport=${other.address().port} dport=${port} `))
  assert.equal(tracked().length, 1)
  const forget = (repliesFrom: readonly string[], protocol: 'tcp' | 'udp', ports: readonly number[]) =>
    host.netfilter.forgetConnections({ family: 4, repliesFrom, to: { protocol, ports } })
  assert.equal(forget(['127.0.0.1'], 'tcp', [port]), 0)
  assert.equal(forget(['127.0.0.2'], 'udp', [port]), 0)
  assert.equal(forget(['127.0.0.1', '127.0.0.9'], 'udp', [port, 9]), 1)
  assert.deepEqual(tracked(), [])
  assert.equal(host.netfilter.forgetConnections({ family: 4, repliesFrom: ['127.0.0.77'] }), 1)
  assert.equal(host.netfilter.forgetConnections({ family: 4, repliesFrom: [] }), 0)
})
