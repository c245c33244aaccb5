import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { until } from '../support/processes.ts'

const PATIENCE_MS = 15_000
/** Ends at once when it is told to. */
const IDLE = ['--stop-grace-period', '1ms', 'busybox', 'sleep', '1000']

describe('docker swarm, service, node, secret, config and stack', () => {
  let daemon: TestDaemon
  let docker: Docker
  let old: Docker
  before(async () => {
    daemon = await startDaemon()
    const clients = dockerClients()
    docker = dockerOf(daemon, clients.at(-1) ?? '')
    old = dockerOf(daemon, clients[0] ?? '')
    await docker.must('import', '-c', 'ENV PATH=/bin', await busyboxTar(daemon.directory), 'busybox')
  })
  after(async () => await daemon.stop())

  const create = async (...words: readonly string[]) => await docker.must('service', 'create', '-d', '-q', ...words)
  const listed = async (name: string): Promise<string> =>
    await docker.must('service', 'ls', '--filter', `name=${name}`, '--format', '{{.Replicas}}')
  const reaches = async (name: string, replicas: string) =>
    await until(`${name} to be ${replicas}`, PATIENCE_MS, async () => ((await listed(name)) === replicas ? true : undefined))

  test('a machine is made a swarm once, and says so', async () => {
    assert.match((await docker('service', 'ls')).stderr, /This node is not a swarm manager/)
    assert.match((await docker('swarm', 'join', '--token', 'x', '192.0.2.1:2377')).stderr, /joining a swarm is not supported/)
    assert.match(await docker.must('swarm', 'init'), /Swarm initialized/)
    assert.match((await docker('swarm', 'init')).stderr, /already part of a swarm/)
    assert.equal(await docker.must('info', '--format', '{{.Swarm.LocalNodeState}} {{.Swarm.Managers}}'), 'active 1')
    assert.match(await docker.must('swarm', 'join-token', '-q', 'worker'), /^SWMTKN-1-/)
    assert.match((await docker('swarm', 'update', '--autolock')).stderr, /AutoLockManagers is not supported/)
  })

  test('clients of both ages create services, and wait until they run', async () => {
    const words = ['service', 'create', '--name', 'old', '--update-monitor', '1ms', ...IDLE]
    const made = await old.with({ timeoutMs: PATIENCE_MS }, ...words)
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stdout, /[Cc]onverged/)
    assert.match(await old.must('service', 'ps', 'old'), /old\.1 .*Running/)
    await old.must('service', 'rm', 'old')
    assert.match((await docker('service', 'inspect', 'old')).stderr, /no such service: old/)
  })

  test('a published port is answered by the tasks, and a service is scaled, updated and rolled back', async () => {
    await create(
      '--name',
      'web',
      '-p',
      '80',
      '--update-monitor',
      '1ms',
      '--stop-grace-period',
      '1ms',
      '--replicas',
      '2',
      'busybox',
      'httpd',
      '-f',
      '-h',
      '/etc',
    )
    await reaches('web', '2/2')
    const port = await docker.must('service', 'inspect', '-f', '{{(index .Endpoint.Ports 0).PublishedPort}}', 'web')
    const answered = async () => ((await statusOf(Number(port), '/notes')) === 200 ? true : undefined)
    await until('the port to answer', PATIENCE_MS, answered)
    await docker.must('service', 'scale', '-d', 'web=1')
    await reaches('web', '1/1')
    await docker.must('service', 'update', '-d', '-q', '--env-add', 'A=b', 'web')
    await until('the update to be over', PATIENCE_MS, async () => {
      const state = await docker.must('service', 'inspect', '-f', '{{.UpdateStatus.State}}', 'web')
      return state === 'completed' ? true : undefined
    })
    await docker.must('service', 'rollback', '-d', '-q', 'web')
    assert.equal(await docker.must('service', 'inspect', '-f', '{{.Spec.TaskTemplate.ContainerSpec.Env}}', 'web'), '[]')
    await docker.must('service', 'rm', 'web')
  })

  test('tasks get secrets and configs as files, and their words come back as logs', async () => {
    const file = join(daemon.directory, 'word')
    writeFileSync(file, 'hush\n')
    await docker.must('secret', 'create', 'pw', file)
    await docker.must('config', 'create', '--label', 'a=b', 'conf', file)
    const config = ['--config', 'source=conf,target=/etc/conf']
    const script = 'cat /run/secrets/pw /etc/conf; exec sleep 1000'
    await create('--name', 'app', '--secret', 'pw', ...config, '--stop-grace-period', '1ms', 'busybox', 'sh', '-c', script)
    await reaches('app', '1/1')
    const logs = async () => ((await docker.must('service', 'logs', '--raw', 'app')) === 'hush\nhush' ? true : undefined)
    await until('the logs', PATIENCE_MS, logs)
    assert.match(await docker.must('service', 'logs', 'app'), /^app\.1\.\w+@\S+ +\| hush/)
    assert.match((await docker('secret', 'rm', 'pw')).stderr, /in use by the following service: app/)
    await docker.must('service', 'rm', 'app')
    await docker.must('secret', 'rm', 'pw')
    assert.equal(await docker.must('config', 'ls', '-q', '--filter', 'label=a=c'), '')
  })

  test('jobs run to their end, and global services on each node', async () => {
    await create('--name', 'job', '--mode', 'replicated-job', '--replicas', '2', 'busybox', 'true')
    await reaches('job', '0/0 (2/2 completed)')
    await create('--name', 'each', '--mode', 'global', ...IDLE)
    await reaches('each', '1/1')
    const [node = ''] = (await docker.must('node', 'ls', '-q')).split('\n')
    await docker.must('node', 'update', '--availability', 'drain', '--label-add', 'zone=a', node)
    await until('the node to be empty', PATIENCE_MS, async () => ((await docker.must('ps', '-q')) === '' ? true : undefined))
    await docker.must('node', 'update', '--availability', 'active', node)
    assert.equal(await docker.must('node', 'ls', '-q', '--filter', 'node.label=zone=a'), node)
    await docker.must('service', 'rm', 'job', 'each')
  })

  test('docker stack deploys a Compose file and removes it', async () => {
    const file = join(daemon.directory, 'stack.yml')
    const service = '{image: busybox, command: [sleep, "1000"], stop_grace_period: 1ms}'
    const secrets = `secrets: {word: {file: ${file}}}`
    writeFileSync(file, `version: "3.8"\nservices:\n  a: ${service}\n  b: ${service}\n${secrets}\n`)
    await old.must('stack', 'deploy', '-c', file, 'shop')
    assert.match(await old.must('stack', 'deploy', '-c', file, 'shop'), /Updating service shop_a/)
    await reaches('shop_a', '1/1')
    assert.match(await docker.must('stack', 'ls'), /shop +2/)
    assert.match(await docker.must('stack', 'ps', 'shop'), /shop_b\.1/)
    assert.match(await docker.must('network', 'ls', '--filter', 'driver=overlay'), /shop_default +overlay +swarm/)
    await old.must('stack', 'rm', 'shop')
    assert.equal(await docker.must('network', 'ls', '-q', '--filter', 'driver=overlay'), '')
  })

  test('what happens to services, nodes, secrets and configs is told as events', async () => {
    const told = await docker.must(
      'events',
      '--since',
      '10m',
      '--until',
      '0s',
      '--filter',
      'scope=swarm',
      '--format',
      '{{.Type}} {{.Action}}',
    )
    for (const line of ['service create', 'service update', 'service remove', 'secret remove', 'config create', 'node update'])
      assert.ok(told.split('\n').includes(line), `${line} in\n${told}`)
  })

  test('leaving takes along what was made', async () => {
    await create('--name', 'last', ...IDLE)
    await reaches('last', '1/1')
    assert.match((await docker('swarm', 'leave')).stderr, /Removing the last manager erases all current state/)
    await docker.must('swarm', 'leave', '--force')
    assert.equal(await docker.must('ps', '-aq'), '')
    await docker.must('swarm', 'init')
    assert.equal(await docker.must('config', 'ls', '-q'), '')
    await docker.must('swarm', 'leave', '--force')
  })
})

async function statusOf(port: number, path: string): Promise<number> {
  return await new Promise((resolve) => {
    const asked = get({ port, path, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('error', () => resolve(0))
  })
}
