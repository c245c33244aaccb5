import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { until } from '../support/processes.ts'

const PATIENCE_MS = 15_000
/** Longer than a resolver waits before it asks again. */
const NAMED_WITHIN_MS = 2000

const SERVER = '[sh, -c, "mkdir /tmp/w; hostname > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w"]'

const SHOP = `
version: "3.8"
services:
  web:
    image: busybox
    command: ${SERVER}
    stop_grace_period: 1ms
    networks: [default, wire]
    deploy: {replicas: 2, restart_policy: {delay: 0s}}
  plain:
    image: busybox
    command: ${SERVER}
    stop_grace_period: 1ms
    deploy: {endpoint_mode: dnsrr}
  client: {image: busybox, command: [sleep, "1000"], stop_grace_period: 1ms}
networks:
  wire: {name: wire, attachable: true}
`
const BANK = `
version: "3.8"
services:
  teller: {image: busybox, command: [sleep, "1000"], stop_grace_period: 1ms, networks: [wire]}
networks:
  wire: {external: true}
`

describe('inside the networks of a swarm', () => {
  let daemon: TestDaemon
  let docker: Docker
  let old: Docker
  before(async () => {
    daemon = await startDaemon()
    const clients = dockerClients()
    docker = dockerOf(daemon, clients.at(-1) ?? '')
    old = dockerOf(daemon, clients[0] ?? '')
    await docker.must('import', '-c', 'ENV PATH=/bin', await busyboxTar(daemon.directory), 'busybox')
    await docker.must('swarm', 'init')
    await deploy('shop', SHOP)
    await deploy('bank', BANK)
    await docker.must('service', 'create', '-d', '-q', '--name', 'lone', '--network', 'wire', ...IDLE)
    for (const [name, replicas] of [...SERVICES, ['lone', '1/1']] as const) await reaches(name, replicas)
  })
  after(async () => await daemon.stop())

  const IDLE = ['--stop-grace-period', '1ms', 'busybox', 'sleep', '1000']
  const SERVICES = [
    ['shop_web', '2/2'],
    ['shop_plain', '1/1'],
    ['shop_client', '1/1'],
    ['bank_teller', '1/1'],
  ] as const
  const deploy = async (name: string, text: string) => {
    const file = join(daemon.directory, `${name}.yml`)
    writeFileSync(file, text)
    await old.must('stack', 'deploy', '-c', file, name)
  }
  const reaches = async (name: string, replicas: string) =>
    await until(`${name} to be ${replicas}`, PATIENCE_MS, async () => {
      const listed = await docker.must('service', 'ls', '--filter', `name=${name}`, '--format', '{{.Replicas}}')
      return listed === replicas ? true : undefined
    })
  const containerOf = async (service: string) =>
    (await docker.must('ps', '-q', '--filter', `label=com.docker.swarm.service.name=${service}`)).split('\n')
  /** Addresses that a name is answered with, in order. */
  const ask = async (container: string, name: string): Promise<readonly string[]> => {
    const { stdout } = await docker('exec', container, 'nslookup', name)
    const answers = stdout.slice(stdout.indexOf('Name:'))
    return [...answers.matchAll(/Address: (\S+)/g)].map(([, address = '']) => address).toSorted()
  }
  const one = async (service: string): Promise<string> => (await containerOf(service))[0] ?? assert.fail(`${service} runs`)
  const virtual = async (service: string): Promise<readonly string[]> => {
    const json = await docker.must('service', 'inspect', '-f', '{{json .Endpoint.VirtualIPs}}', service)
    return (JSON.parse(json) as { Addr: string }[] | null)?.map(({ Addr }) => Addr.replace(/\/\d+$/, '')) ?? []
  }
  const tasksOn = async (network: string, service: string) => {
    const inspected = await Promise.all((await containerOf(service)).map(async (id) => await docker.inspect(id)))
    return inspected.map(({ NetworkSettings }) => String(NetworkSettings.Networks[network].IPAddress)).toSorted()
  }

  test('a service has one address on each network, and its name, its full name and its tasks are found there', async () => {
    const client = await one('shop_client')
    const own = await virtual('shop_web')
    assert.equal(own.length, 2)
    const [address = ''] = await ask(client, 'web')
    assert.ok(own.includes(address), `${address} of ${own.join()}`)
    assert.deepEqual(await ask(client, 'shop_web'), [address])
    assert.deepEqual(await ask(client, 'tasks.web'), await tasksOn('shop_default', 'shop_web'))
    assert.deepEqual(await ask(client, 'plain'), await tasksOn('shop_default', 'shop_plain'))
    assert.deepEqual(await virtual('shop_plain'), [])
    const heard = new Set<string>()
    for (let tries = 0; tries < 8; tries += 1) heard.add(await docker.must('exec', client, 'wget', '-qO-', `http://${address}/`))
    assert.equal(heard.size, 2)
  })

  test('tasks, networks and the command line tell the same addresses', async () => {
    const [id = ''] = (await docker.must('service', 'ps', '-q', 'shop_web')).split('\n')
    const task = JSON.parse(await docker.must('inspect', '--type', 'task', id))[0]
    const attached = task.NetworksAttachments.map(({ Network, Addresses }: any) => [Network.Spec.Name, Addresses[0]])
    const told = Object.fromEntries(attached) as Record<string, string>
    assert.deepEqual(Object.keys(told).toSorted(), ['shop_default', 'wire'])
    const addresses = await tasksOn('wire', 'shop_web')
    assert.ok(addresses.some((address) => told['wire']?.startsWith(`${address}/`) === true))
    assert.ok(task.Status.ContainerStatus.PID > 1)
    const network = JSON.parse(await old.must('network', 'inspect', '--verbose', 'wire'))[0]
    assert.deepEqual([network.Driver, network.Scope, network.Peers.length], ['overlay', 'swarm', 1])
    assert.deepEqual(Object.keys(network.Services).toSorted(), ['bank_teller', 'lone', 'shop_web'])
    assert.ok((await virtual('shop_web')).includes(network.Services.shop_web.VIP))
    const { stdout } = await daemon.glovebox('network', 'services', '--format', 'json')
    const ours = (JSON.parse(stdout) as any[]).find(({ service, network: on }) => service === 'web' && on === 'wire')
    assert.deepEqual([ours.stack, ours.virtual[0]], ['shop', network.Services.shop_web.VIP])
    const meaning = await daemon.glovebox('network', 'resolve', 'bank/teller', 'client')
    assert.match(meaning.stdout, /shop\/client is called client on shop_default, and who asks is on wire/)
    assert.equal(meaning.code, 1)
  })

  test('stacks are kept apart on a network that they share, and a service of no stack is judged by its networks alone', async () => {
    const [target = ''] = await tasksOn('wire', 'shop_web')
    const reach = async (service: string) => await docker('exec', await one(service), 'wget', '-qO-', `http://${target}/`)
    assert.match((await reach('bank_teller')).stderr, /No route to host/)
    assert.equal((await reach('lone')).code, 0)
    assert.match((await daemon.glovebox('policy', 'refused')).stdout, /bank\/teller +shop\/web +tcp\/80/)
    assert.match((await daemon.glovebox('policy', 'check', 'bank/teller', 'shop/web:80')).stdout, /may not connect/)
    assert.match((await daemon.glovebox('policy', 'check', 'lone', 'shop/web:80')).stdout, /lone belongs to no application/)
    assert.match((await daemon.glovebox('policy', 'ls')).stdout, /lone +everybody on wire/)
  })

  test('a task that is killed is not named any more, nor met behind the address', async () => {
    const client = await one('shop_client')
    const [victim = ''] = await containerOf('shop_web')
    const gone = (await docker.inspect(victim)).NetworkSettings.Networks.shop_default.IPAddress
    const [address = ''] = await ask(client, 'web')
    await docker.must('kill', victim)
    await until('the name to be rid of it', NAMED_WITHIN_MS, async () =>
      (await ask(client, 'tasks.web')).includes(gone) ? undefined : true,
    )
    for (let tries = 0; tries < 4; tries += 1)
      assert.equal((await docker('exec', client, 'wget', '-qO-', `http://${address}/`)).code, 0)
    await reaches('shop_web', '2/2')
    assert.deepEqual(await ask(client, 'web'), [address])
  })

  test('networks of the swarm are joined by hand only where they were made for it, and stay while a service uses them', async () => {
    await docker.must('network', 'create', '-d', 'overlay', 'shut')
    assert.match((await docker('run', '--rm', '--network', 'shut', 'busybox', 'true')).stderr, /shut not manually attachable/)
    const found = await docker.must('run', '--rm', '--network', 'wire', 'busybox', 'nslookup', 'lone')
    assert.ok(found.includes((await virtual('lone'))[0] ?? '?'))
    await docker.must('service', 'create', '-d', '-q', '--name', 'user', '--network', 'shut', '--replicas', '0', 'busybox')
    assert.match((await docker('network', 'rm', 'shut')).stderr, /is in use by service/)
    await docker.must('service', 'update', '-d', '-q', '--network-rm', 'shut', '--network-add', 'wire', 'user')
    const targets = await docker.must('service', 'inspect', '-f', '{{len .Spec.TaskTemplate.Networks}}', 'user')
    assert.equal(targets, '1')
    await docker.must('service', 'rm', 'user')
    await docker.must('network', 'rm', 'shut')
  })

  test('an image that cannot be had is told by the task, and stops an update while the old tasks serve', async () => {
    await docker.must('service', 'create', '-d', '-q', '--name', 'bad', 'localhost:1/nothing:here')
    const said = async () => await docker.must('service', 'ps', '--no-trunc', '--format', '{{.CurrentState}} {{.Error}}', 'bad')
    await until('the task to say it', PATIENCE_MS, async () =>
      /Rejected .*No such image: localhost:1\/nothing:here: /.test(await said()) ? true : undefined,
    )
    await docker.must('service', 'rm', 'bad')
    const updated = await docker('service', 'update', '-q', '--image', 'localhost:1/nothing:here', 'lone')
    assert.match(updated.stdout + updated.stderr, /update paused due to failure/)
    assert.equal((await containerOf('lone')).length, 1)
  })

  test('as many old tasks are kept as the swarm says', async () => {
    await docker.must('swarm', 'update', '--task-history-limit', '2')
    assert.match((await docker('swarm', 'update', '--task-history-limit', '1000')).stderr, /TaskHistoryRetentionLimit: 1000/)
    assert.match(await docker.must('info'), /Task History Retention Limit: 2/)
    const words = ['--restart-delay', '0s', 'busybox', 'false']
    await docker.must('service', 'create', '-d', '-q', '--name', 'short', ...words)
    const ends = new Set<string>()
    await until('three ends', PATIENCE_MS, async () => {
      for (const id of (await docker.must('service', 'ps', '-q', 'short')).split('\n')) ends.add(id)
      return ends.size > 3 ? true : undefined
    })
    const kept = async () => (await docker.must('service', 'ps', '-q', 'short')).split('\n').length
    await until('the oldest to be forgotten', PATIENCE_MS, async () => ((await kept()) <= 2 ? true : undefined))
  })
})
