import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { before, test } from 'node:test'

import { networkFixture } from './network-fixture.ts'

/** These tests change the host's own firewall, so they have a host of their own: this file again, in a network namespace. */
const isInside = process.env['GLOVEBOX_TEST_FIREWALL'] !== undefined

if (!isInside)
  test('with other firewalls that are closed, in a namespace of its own', { timeout: 120_000 }, async () => {
    const args = ['--net', process.execPath, '--test', '--test-reporter=spec', import.meta.filename]
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const child = spawn('unshare', args, { env: { ...env, GLOVEBOX_TEST_FIREWALL: '1' }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const [code] = (await once(child, 'close')) as [number | null]
    assert.equal(code, 0, output)
    assert.match(output, /pass 3\b/)
  })
else insideTests()

function insideTests(): void {
  const fixture = networkFixture()
  const { networks, host, root, defer, container, serve, hear } = fixture
  const outside = join(root, 'outside')
  const sh = (script: string) => execFileSync('sh', ['-ec', script], { encoding: 'utf8', env: { ...process.env, PIN: outside } })

  before(async () => {
    host.namespaces.createNetwork(outside)
    defer(() => host.namespaces.removeNetwork(outside))
    sh('ip link set lo up; ip link add up0 type veth peer name far0; ip link set far0 netns /proc/self/fd/3 3<"$PIN"')
    sh('ip address add 10.219.5.1/24 dev up0; ip link set up0 up; ip route add default via 10.219.5.2')
    host.links.addAddress('far0', '10.219.5.2/24', outside)
    host.links.setUp('far0', outside)
    await networks.recover({ pidOf: () => null })
  })

  /** What a container hears of a machine outside, and that of its published port. */
  async function bothWays(name: string): Promise<readonly string[]> {
    const id = await container(name, [name])
    serve(id, 80, name)
    const [published] = await networks.publish(id, [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: null }])
    const inward = await hearOutside(`10.219.5.1`, published?.hostPort ?? 0)
    const outward = await hear(id, '10.219.5.2', 7)
    await networks.sandboxRemove(id)
    return [outward, inward]
  }

  async function hearOutside(address: string, port: number): Promise<string> {
    const client = ['timeout', '1.5', 'bash', '-c', 'exec 3<>"/dev/tcp/$0/$1" && cat <&3', address, String(port)]
    const child = spawn('nsenter', [`--net=${outside}`, ...client], { stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
    await once(child, 'close')
    return text
  }

  const works = (name: string) => [`outside to 10.219.5.1`, `${name} to 10.219.5.2`]
  /** Rules of any firewall that name our bridges. */
  const ours = () =>
    ['iptables-legacy -S', 'iptables-nft -S', 'ip6tables-legacy -S']
      .map((list) => sh(`${list} 2>/dev/null || true`))
      .join('')
      .split('\n')
      .filter((line) => line.includes('gb-'))

  test('the old iptables with a closed FORWARD chain lets containers pass, in and out', async () => {
    serveOutside()
    sh('iptables-legacy -P FORWARD DROP')
    networks.create({ name: 'legacy' })
    assert.deepEqual(await bothWays('legacy'), works('legacy'))
    assert.equal(ours().length, 2)
    await networks.shutdown({ remove: true })
    assert.deepEqual(ours(), [])
  })

  test('beside a Docker of the old iptables its chain for others is used', async () => {
    sh('iptables-legacy -N DOCKER-USER; iptables-legacy -A DOCKER-USER -j RETURN; iptables-legacy -I FORWARD -j DOCKER-USER')
    // What Docker's isolation does to packets that it does not know.
    sh('iptables-legacy -A FORWARD -j DROP')
    networks.create({ name: 'user-chain', options: { 'com.docker.network.bridge.name': 'gb-named' } })
    assert.deepEqual(await bothWays('user-chain'), works('user-chain'))
    assert.ok(ours().every((line) => line.startsWith('-A DOCKER-USER')))
    await networks.shutdown({ remove: true })
    assert.deepEqual(ours(), [])
    sh('iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F; iptables-legacy -X')
  })

  test('the same with iptables on nftables, and iptables can still read its table', async () => {
    sh('iptables-nft -P FORWARD DROP')
    networks.create({ name: 'nft' })
    assert.deepEqual(await bothWays('nft'), works('nft'))
    assert.equal(ours().length, 2)
    sh('iptables-nft -A FORWARD -s 10.9.9.9 -j DROP')
    await networks.shutdown({ remove: true })
    assert.deepEqual(ours(), [])
  })

  function serveOutside(): void {
    const server = host.sockets.listeningTcp({ netnsPin: outside, address: '10.219.5.2', port: 7 })
    fixture.greet(server.fd, 'outside')
  }
}
