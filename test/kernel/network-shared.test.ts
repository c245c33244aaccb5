import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'

import { networkFixture } from './network-fixture.ts'

const run = promisify(execFile)
const fixture = networkFixture()
const { networks, host, root, suffix, defer, container, serve, hear } = fixture
const parent = `gbs-${suffix}`

/** A wire: one end is the parent of containers' links, the other a machine of its own. */
const machine = join(root, 'machine')

before(async () => {
  await networks.recover({ pidOf: () => null })
  host.namespaces.createNetwork(machine)
  defer(() => host.namespaces.removeNetwork(machine))
  const far = `gbt-${suffix}`
  execFileSync('ip', ['link', 'add', parent, 'type', 'veth', 'peer', 'name', far])
  defer(() => host.links.deleteLink(parent))
  execFileSync('ip', ['link', 'set', parent, 'up'])
  execFileSync('bash', ['-c', 'ip link set "$0" netns /proc/self/fd/3 3<"$1"', far, machine])
  host.links.addAddress(far, '10.219.4.1/24', machine)
  host.links.addAddress(far, 'fd19:4::1/64', machine)
  host.links.setUp(far, machine)
})

const subnets = [
  { subnet: '10.219.4.0/24', gateway: '10.219.4.1', ipRange: '10.219.4.128/25' },
  { subnet: 'fd19:4::/64', gateway: 'fd19:4::1' },
]

test('containers on a macvlan network share the wire with machines and with one another', async () => {
  networks.create({ name: 'wire', driver: 'macvlan', options: { parent }, subnets })
  const one = await container('wire-one', ['wire'])
  const two = await container('wire-two', ['wire'])
  serve(one, 80, 'one')
  const [endpoint] = networks.endpointsOf(one)
  const from = networks.endpointsOf(two)[0]?.ipAddress
  assert.match(endpoint?.ipAddress ?? '', /^10\.219\.4\.1(2[89]|[3-9]\d)$/)
  assert.equal(endpoint?.hostLink, '')
  assert.equal(await hear(two, endpoint?.ipAddress ?? '', 80), `one to ${from}`)
  const client = ['timeout', '3', 'bash', '-c', 'exec 3<>"/dev/tcp/$0/80" && cat <&3', endpoint?.ipAddress ?? '']
  assert.equal((await run('nsenter', [`--net=${machine}`, ...client])).stdout, 'one to 10.219.4.1')
  const inside = (...args: readonly string[]) =>
    execFileSync('nsenter', [`--net=${fixture.pinOf(one)}`, ...args], { encoding: 'utf8' })
  assert.match(inside('ip', 'route'), /default via 10\.219\.4\.1 dev eth0/)
  assert.match(inside('ip', '-6', 'route'), /default via fd19:4::1 dev eth0/)
  assert.ok((networks.statistics(one).eth0?.rxBytes ?? 0) > 0)
  await assert.rejects(networks.publish(one, [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: null }]), {
    code: 'network.unsupported',
    message: /on network wire, which is not a bridge/,
  })
  await networks.detach(one, 'wire')
  assert.doesNotMatch(inside('ip', '-o', 'link'), /eth0/)
})

test('a parent serves one network, must be there, and an option that is not known is refused', () => {
  const create = (name: string, options: Readonly<Record<string, string>>) => () =>
    networks.create({ name, driver: 'macvlan', options })
  assert.throws(create('second', { parent }), { code: 'network.subnet_in_use', message: /already using parent interface/ })
  assert.throws(create('lost', { parent: 'nowhere0' }), { code: 'network.invalid', message: /no link nowhere0/ })
  assert.throws(create('orphan', {}), { code: 'network.invalid', message: /option parent/ })
  assert.throws(create('odd', { parent, macvlan_mode: 'l2' }), { code: 'network.invalid', message: /macvlan_mode/ })
  assert.throws(create('other', { parent, speed: 'high' }), { code: 'network.unsupported', message: /option speed/ })
  assert.deepEqual(
    networks
      .list()
      .filter(({ isPredefined }) => !isPredefined)
      .map(({ name }) => name),
    ['wire'],
  )
})

test('what this kernel has not is refused with the reason, and what it has works', async () => {
  const free = `gbu-${suffix}`
  execFileSync('ip', ['link', 'add', free, 'type', 'bridge'])
  defer(() => host.links.deleteLink(free))
  const tried = [
    { driver: 'ipvlan', kind: 'ipvlan', parent: free },
    { driver: 'macvlan', kind: 'vlan', parent: `${free}.7` },
  ]
  for (const { driver, kind, parent: wanted } of tried) {
    const isThere = hasKind(kind)
    const create = () => networks.create({ name: `${kind}-net`, driver, options: { parent: wanted } })
    if (isThere) {
      create()
      const id = await container(`${kind}-one`, [`${kind}-net`])
      assert.equal(networks.endpointsOf(id).length, 1)
      await networks.sandboxRemove(id)
      await networks.remove(`${kind}-net`)
    } else assert.throws(create, new RegExp(`this kernel has no links of kind ${kind}`))
    assert.equal(networks.find(`${kind}-net`), undefined)
    assert.equal(
      host.links.listLinks().some(({ name }) => name === `${free}.7`),
      false,
    )
  }
})

/** By making one, as no list of them exists. */
function hasKind(kind: string): boolean {
  const pin = join(root, `probe-${kind}`)
  host.namespaces.createNetwork(pin)
  defer(() => host.namespaces.removeNetwork(pin))
  const script = 'ip link add probe type veth peer name other && ip link add link probe name it type "$0"'
  const more = kind === 'vlan' ? ' id 7' : ''
  try {
    execFileSync('nsenter', [`--net=${pin}`, 'sh', '-c', script + more, kind], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}
