import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'

import { until } from '../support/processes.ts'
import { eachClient } from './each-client.ts'

const SERVE = ['sh', '-c', 'mkdir /w; hostname > /w/index.html; exec httpd -f -p 80 -h /w']

async function fetchText(url: string): Promise<string> {
  return await until(
    `an answer of ${url}`,
    5000,
    async () => await (await fetch(url, { signal: AbortSignal.timeout(2000) })).text(),
  )
}

function ownAddress(): string {
  const found = Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && one.family === 'IPv4' && !one.internal)
  return found?.address ?? '127.0.0.1'
}

eachClient('networks', (bench) => {
  test('a port on 127.0.0.1 and one on all addresses answer from the host', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'web', '-h', 'web', '-p', '127.0.0.1::80', '-p', '80', 'busybox', ...SERVE)
    const ports = (await docker.inspect('web')).NetworkSettings.Ports['80/tcp'] as readonly { HostIp: string; HostPort: string }[]
    const local = ports.find((one) => one.HostIp === '127.0.0.1')
    const all = ports.find((one) => one.HostIp === '0.0.0.0')
    assert.equal(await fetchText(`http://127.0.0.1:${local?.HostPort}/`), 'web\n')
    assert.equal(await fetchText(`http://127.0.0.1:${all?.HostPort}/`), 'web\n')
    assert.equal(await fetchText(`http://${ownAddress()}:${all?.HostPort}/`), 'web\n')
    await assert.rejects(fetch(`http://${ownAddress()}:${local?.HostPort}/`, { signal: AbortSignal.timeout(1000) }))
    assert.match(await docker.must('port', 'web', '80'), new RegExp(`127.0.0.1:${local?.HostPort}`))
    const taken = await docker('run', '-d', '--name', 'second', '-p', `127.0.0.1:${local?.HostPort}:80`, 'busybox', 'sleep', '9')
    assert.equal(taken.code, 125)
    assert.match(taken.stderr, /port is already allocated|in use/)
    await docker.must('rm', '-f', 'web', 'second')
    await docker.must('run', '-d', '--rm', '--name', 'third', '-p', `127.0.0.1:${local?.HostPort}:80`, 'busybox', 'sleep', '9')
    await docker.must('rm', '-f', 'third')
  })

  test('containers on a network of the user’s find one another by name, alias and container name', async () => {
    const { docker } = bench()
    await docker.must('network', 'create', '--label', 'a=b', 'mesh')
    await docker.must(
      'run',
      '-d',
      '--name',
      'server',
      '-h',
      'server',
      '--network',
      'mesh',
      '--network-alias',
      'other',
      'busybox',
      ...SERVE,
    )
    for (const name of ['server', 'other'])
      assert.equal(
        await docker.must(
          'run',
          '--rm',
          '--network',
          'mesh',
          'busybox',
          'sh',
          '-c',
          `for i in 1 2 3 4 5; do timeout 2 wget -q -O- http://${name}/ && break; sleep 0.1; done`,
        ),
        'server',
      )
    assert.equal((await docker('run', '--rm', '--network', 'mesh', 'busybox', 'nslookup', 'nobody')).code, 1)
    const network = (await docker.inspect('server')).NetworkSettings.Networks.mesh
    assert.ok(network.Aliases.includes('other'))
    assert.equal(await docker.must('network', 'ls', '--quiet', '--filter', 'label=a=b', '--format', '{{.Name}}'), 'mesh')
    assert.match((await docker('network', 'rm', 'mesh')).stderr, /active endpoints/)
    await docker.must('rm', '-f', 'server')
    await docker.must('network', 'rm', 'mesh')
  })

  test('networks are joined and left while the container runs', async () => {
    const { docker } = bench()
    await docker.must('network', 'create', '--subnet', '10.213.7.0/24', '--gateway', '10.213.7.1', 'late')
    await docker.must('run', '-d', '--name', 'mover', 'busybox', 'sleep', '100')
    await docker.must('network', 'connect', '--ip', '10.213.7.77', '--alias', 'there', 'late', 'mover')
    assert.match(await docker.must('exec', 'mover', 'ip', 'addr'), /10\.213\.7\.77\/24/)
    assert.match(
      await docker.must('run', '--rm', '--network', 'late', 'busybox', 'ping', '-c', '1', '-W', '2', 'there'),
      /1 packets received/,
    )
    await docker.must('network', 'disconnect', 'late', 'mover')
    assert.doesNotMatch(await docker.must('exec', 'mover', 'ip', 'addr'), /10\.213/)
    await docker.must('rm', '-f', 'mover')
    await docker.must('network', 'rm', 'late')
  })

  test('networks of their own do not reach one another', async () => {
    const { docker } = bench()
    await docker.must('network', 'create', 'one')
    await docker.must('network', 'create', 'two')
    await docker.must('run', '-d', '--name', 'target', '--network', 'one', 'busybox', ...SERVE)
    const address = (await docker.inspect('target')).NetworkSettings.Networks.one.IPAddress
    // The first process of a container takes no signal that it did not ask for, not even from timeout(1).
    const ask = `timeout 1 wget -q -O- http://${address}/ || exit 1`
    const reach = (network: string) => docker('run', '--rm', '--network', network, 'busybox', 'sh', '-c', ask)
    assert.equal((await reach('one')).code, 0)
    assert.notEqual((await reach('two')).code, 0)
    await docker.must('rm', '-f', 'target')
    await docker.must('network', 'rm', 'one', 'two')
  })

  test('container:, host and none', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'base', '-h', 'base', 'busybox', ...SERVE)
    const shared = 'for i in 1 2 3 4 5; do timeout 2 wget -q -O- http://127.0.0.1/ && break; sleep 0.1; done; hostname'
    assert.equal(await docker.must('run', '--rm', '--network', 'container:base', 'busybox', 'sh', '-c', shared), 'base\nbase')
    assert.match(await docker.must('run', '--rm', '--network', 'host', 'busybox', 'ip', 'addr'), new RegExp(ownAddress()))
    const none = await docker.must('run', '--rm', '--network', 'none', 'busybox', 'ip', '-o', 'link')
    assert.equal(none.split('\n').filter((line) => !line.includes(': lo:')).length, 0)
    await docker.must('rm', '-f', 'base')
  })

  test('a container that serves names itself on port 53 still finds its neighbours', async () => {
    const { docker } = bench()
    await docker.must('network', 'create', 'named')
    await docker.must('run', '-d', '--name', 'server', '-h', 'server', '--network', 'named', 'busybox', ...SERVE)
    const script = 'nc -l -p 53 & sleep 0.2; timeout 5 nslookup server; netstat -lnt | grep -c :::53'
    assert.match(
      await docker.must('run', '--rm', '--network', 'named', 'busybox', 'sh', '-c', script),
      /Name:\s+server\s+Address: [0-9.]+[^]*\n1$/,
    )
    // Whom the user names is asked from the container's own place, about what is not known here.
    const resolv = await docker.must(
      ...['run', '--rm', '--network', 'named', '--dns', '192.0.2.9', '--dns-search', 'example.org', '--dns-opt', 'timeout:1'],
      ...['busybox', 'cat', '/etc/resolv.conf'],
    )
    assert.equal(resolv, 'nameserver 127.0.0.11\nsearch example.org\noptions timeout:1 ndots:0')
    await docker.must('rm', '-f', 'server')
    await docker.must('network', 'rm', 'named')
  })

  test('links are names of one container only, on the default network with its variables', async () => {
    const { docker } = bench()
    await docker.must('network', 'create', 'linked')
    await docker.must('run', '-d', '--name', 'db', '-h', 'pg', '--expose', '80', '-e', 'USER=me', 'busybox', ...SERVE)
    const ask = 'for i in 1 2 3 4 5; do timeout 2 wget -q -O- http://database/ && break; sleep 0.1; done'
    const script = `${ask}; echo $DATABASE_PORT_80_TCP_PORT $DATABASE_ENV_USER; grep database /etc/hosts`
    const said = await docker.must('run', '--rm', '--name', 'app', '--link', 'db:database', 'busybox', 'sh', '-c', script)
    assert.match(said, /^pg\n80 me\n[0-9.]+\tdatabase$/)
    const app = await docker.must('create', '--name', 'app', '--link', 'db:database', 'busybox', 'true')
    assert.deepEqual((await docker.inspect(app)).HostConfig.Links, ['/db:/app/database'])
    await docker.must('network', 'connect', 'linked', 'db')
    await docker.must('rm', 'app')
    const linked = ['run', '--rm', '--network', 'linked', '--link', 'db:database', 'busybox', 'sh', '-c', ask]
    assert.equal(await docker.must(...linked), 'pg')
    await docker.must('stop', '-t', '0', 'db')
    assert.match(
      (await docker('run', '--rm', '--link', 'db:x', 'busybox', 'true')).stderr,
      /Cannot link to a non running container: \/db AS/,
    )
    assert.match((await docker('run', '--rm', '--link', 'nobody:x', 'busybox', 'true')).stderr, /No such container: nobody/)
    await docker.must('rm', '-f', 'db')
    await docker.must('network', 'rm', 'linked')
  })

  test('addresses are chosen within limits, given as asked, and their end is told', async () => {
    const { docker } = bench()
    const limits = ['--subnet', '10.214.7.0/29', '--ip-range', '10.214.7.4/30', '--aux-address', 'router=10.214.7.5']
    await docker.must('network', 'create', ...limits, '--ipv6', '--subnet', 'fd14:7::/64', 'small')
    const run = (...args: readonly string[]) => docker('run', '-d', '--network', 'small', ...args, 'busybox', 'sleep', '60')
    const addressOf = async (name: string) => (await docker.inspect(name)).NetworkSettings.Networks.small
    assert.equal((await run('--name', 'fixed', '--ip', '10.214.7.2', '--ip6', 'fd14:7::99')).code, 0)
    assert.deepEqual(
      [(await addressOf('fixed')).IPAddress, (await addressOf('fixed')).GlobalIPv6Address],
      ['10.214.7.2', 'fd14:7::99'],
    )
    assert.match((await run('--name', 'same', '--ip', '10.214.7.2')).stderr, /Address already in use/)
    for (const name of ['one', 'two']) assert.equal((await run('--name', name)).code, 0)
    assert.deepEqual([(await addressOf('one')).IPAddress, (await addressOf('two')).IPAddress], ['10.214.7.4', '10.214.7.6'])
    assert.match((await run('--name', 'three')).stderr, /no available IPv4 addresses on network small.*10\.214\.7\.4\/30/)
    const clash = await docker('network', 'create', '--subnet', '10.214.0.0/16', 'clash')
    assert.match(clash.stderr, /Pool overlaps with other one on this address space.*10\.214\.7\.0\/29 of network small/)
    const ping = await docker.must('exec', 'one', 'ping', '-6', '-c', '1', '-W', '2', 'fixed')
    assert.match(ping, /1 packets received/)
    await docker.must('rm', '-f', 'fixed', 'one', 'two', 'three', 'same')
    await docker.must('network', 'rm', 'small')
  })

  test('what happens to networks is told, and prune takes those that match', async () => {
    const { docker, daemon } = bench()
    const events = docker.spawn('events', '--filter', 'type=network', '--format', '{{.Action}} {{.Actor.Attributes.name}}')
    await until('the listener', 5000, async () => (daemon.log() === '' ? undefined : await Promise.resolve(true)))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await docker.must('network', 'create', '--label', 'keep=yes', 'told')
    await docker.must('run', '--rm', '--network', 'told', 'busybox', 'true')
    await docker.must('network', 'create', 'other')
    assert.match(await docker.must('network', 'prune', '-f', '--filter', 'label!=keep'), /^Deleted Networks:\nother$/)
    assert.match((await docker('network', 'rm', 'bridge')).stderr, /pre-defined network/)
    await docker.must('network', 'rm', 'told')
    const wanted = ['create told', 'connect told', 'disconnect told', 'create other', 'destroy other', 'destroy told']
    await until(
      'all that happened',
      5000,
      async () => await Promise.resolve(wanted.every((line) => events.output().includes(line)) ? true : undefined),
    )
    const lines = events.output().trim().split('\n')
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('prune')),
      wanted,
    )
    events.kill('SIGKILL')
    await events.finish()
  })

  test('drivers and options that are not there are refused by name', async () => {
    const { docker } = bench()
    for (const [args, message] of [
      [['-d', 'overlay'], /This node is not a swarm manager/],
      [['-d', 'macvlan'], /option parent/],
      [['-d', 'macvlan', '-o', 'parent=nowhere0'], /no link nowhere0/],
      [['-o', 'com.docker.network.bridge.inhibit_ipv4=true'], /inhibit_ipv4 is not supported/],
      [['-o', 'com.docker.network.bridge.gateway_mode_ipv4=routed'], /gateway_mode_ipv4: "routed" is not nat/],
      [['--subnet', '10.99.0.0/16', '--subnet', '10.98.0.0/16'], /one of each family/],
    ] as const)
      assert.match((await docker('network', 'create', ...args, 'refused')).stderr, message)
    assert.equal(await docker.must('network', 'ls', '-q', '--filter', 'name=refused'), '')
  })

  test('a network that is not there is named', async () => {
    const missing = await bench().docker('run', '--rm', '--network', 'nowhere', 'busybox', 'true')
    assert.equal(missing.code, 125)
    assert.match(missing.stderr, /nowhere/)
    assert.equal(await bench().docker.must('ps', '-aq'), '')
  })
})
