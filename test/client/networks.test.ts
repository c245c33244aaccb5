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

  test('a network that is not there is named', async () => {
    const missing = await bench().docker('run', '--rm', '--network', 'nowhere', 'busybox', 'true')
    assert.equal(missing.code, 125)
    assert.match(missing.stderr, /nowhere/)
    assert.equal(await bench().docker.must('ps', '-aq'), '')
  })
})
