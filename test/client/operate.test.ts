import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'

import type { ChangePlan, HistoryRecord } from '#api/glovebox'

import { run, until } from '../support/processes.ts'
import { cliBench } from './cli-bench.ts'

const PATIENCE_MS = 15_000

interface Shop {
  readonly level?: string
  readonly command?: string
}

function composeFile({ level = 'info', command = 'sleep 1000' }: Shop): string {
  const update = '{ parallelism: 0, monitor: 100ms, failure_action: rollback }'
  return `
services:
  web:
    image: busybox
    command: ${command}
    environment: { LEVEL: ${level} }
    stop_grace_period: 1s
    stop_signal: SIGKILL
    deploy: { replicas: 2, update_config: ${update}, rollback_config: { parallelism: 0, monitor: 100ms } }
  db:
    image: busybox
    command: sleep 1000
    stop_grace_period: 7s
    stop_signal: SIGKILL
    volumes: ["data:/data"]
    deploy: { update_config: ${update} }
volumes: { data: }
`
}

describe('a team operates its services', () => {
  const bench = cliBench()
  let directory = ''
  const write = (shop: Shop) => writeFileSync(join(directory, 'compose.yaml'), composeFile(shop))
  before(() => {
    directory = join(bench().daemon.directory, 'shop')
    mkdirSync(directory)
    write({})
  })

  const historyOf = async (name: string): Promise<readonly HistoryRecord[]> =>
    (await bench().cli.must('service', 'history', '--format', 'json', name))
      .split('\n')
      .map((line) => JSON.parse(line) as HistoryRecord)

  test('what up is going to do is shown before it does it, and a dry run does nothing', async () => {
    const { cli } = bench()
    const before = await cli.must('up', '--dry-run', directory)
    assert.match(before, /shop\/web +create +busybox, 2 tasks/)
    assert.match(before, /volume shop_data +create/)
    assert.equal(await cli.must('service', 'ls', '-q'), '')
    const up = await cli('up', directory)
    assert.equal(up.code, 0, up.stderr)
    assert.match(up.stderr, /shop\/db +create/)
    assert.equal(await cli.must('up', '--dry-run', directory), 'shop: nothing to change')
    assert.deepEqual(await cli('diff', directory), { code: 0, stdout: 'shop: nothing to change\n', stderr: '' })
    assert.match(await cli.must('service', 'ls', '-f', 'stack=shop'), /shop\/db +ready +1\/1 .*\nshop\/web +ready +2\/2/)
    assert.match(await cli.must('service', 'ps', 'shop/web'), /shop\/web\.1 .* running .*\n.*shop\/web\.2/)
  })

  test('a deploy says what is away and for how long, is seen through, and stands in the history', async () => {
    const { cli } = bench()
    const asked = ['deploy', 'shop/db', '--env', 'A=1']
    const plan = JSON.parse(await cli.must(...asked, '--dry-run', '--format', 'json')) as ChangePlan
    const [operation] = plan.operations
    assert.deepEqual(operation?.fields, [{ path: ['spec', 'task', 'environment', 'A'], after: '1' }])
    assert.equal(operation?.effect?.orderReason, 'one task at a time writes to the volume data')
    const { tasks, of, aboutMs = 0 } = operation?.effect?.outage ?? {}
    assert.deepEqual([tasks, of], [1, 1])
    assert.ok((aboutMs ?? 0) >= 7000 && (aboutMs ?? 0) < 9000, String(aboutMs))
    const deployed = await cli(...asked)
    assert.equal(deployed.code, 0, deployed.stderr)
    assert.match(deployed.stderr, /shop\/db +change .*all of it, up to about [78]\.\d s/)
    assert.match(deployed.stdout, /^shop\/db: ready 1\/1, revision 2$/m)
    const told = (await historyOf('shop/db')).map(({ by, from, event }) => [event.type, by, from])
    assert.deepEqual(told, [
      ['rollout-ended', 'glovebox', 'glovebox'],
      ['changed', 'root', 'cli'],
      ['created', 'root', 'compose'],
    ])
    assert.match(await cli.must('history', '--fields', 'shop/db'), /environment\.A +nothing → 1/)
    const differs = await cli('diff', '--name', 'shop', directory)
    assert.equal(differs.code, 1)
    assert.match(differs.stdout, /~ service shop\/db .*\n +environment\.A +1 → nothing/)
  })

  test('a rollout that fails goes back, and the command fails with the reason', async () => {
    const { cli } = bench()
    write({ command: 'sh -c "exit 3"' })
    const up = await cli('up', directory)
    assert.equal(up.code, 1, up.stderr)
    assert.match(up.stderr, /failed: .*web.* back (?:at|to) revision 1: \d new tasks? failed: exit code 3/)
    const deployed = await cli('deploy', 'shop/web', '--env', 'B=1', '--image', 'busybox')
    assert.equal(deployed.code, 0, deployed.stderr)
    const types = (await historyOf('shop_web')).map(({ event }) => event.type)
    assert.deepEqual(types.slice(1, 5), ['changed', 'rollout-ended', 'rollout-turned', 'changed'])
    write({})
    assert.equal((await cli('up', directory)).code, 0)
  })

  test('services are scaled, paused, let go on and taken back under either of their names', async () => {
    const { cli } = bench()
    assert.match(await cli.must('scale', 'shop/web=3', 'shop_db=1'), /shop\/web: ready 3\/3/)
    const each = ['scale', '--dry-run', '--format', '{{.action}} {{.name}}', 'shop/web=4', 'shop/db=0']
    assert.equal(await cli.must(...each), 'scale shop_web\nscale shop_db')
    assert.equal(await cli.must('scale', '--format', '{{.outcome}} {{.service.readyTasks}}', 'shop/web=3'), 'ready 3')
    const paused = await cli('pause', 'shop/web')
    assert.match(paused.stderr, /held:.* shop\/web: it is paused/)
    assert.match(await cli.must('scale', '-d', 'shop/web=1'), /^shop\/web: revision/)
    assert.equal(await cli.must('service', 'ls', '-f', 'name=shop/web', '--format', '{{.State}} {{.Replicas}}'), 'paused 3/1')
    assert.match(await cli.must('resume', 'shop_web'), /ready 1\/1/)
    assert.match(await cli.must('deploy', 'shop/web', '--env', 'LEVEL=trace'), /ready 1\/1/)
    const back = await cli('rollback', 'shop/web')
    assert.equal(back.code, 0, back.stderr)
    assert.match(back.stderr, /shop\/web +change +replicas 1 → 2, environment\.LEVEL/)
    assert.match((await cli('promote', 'shop/web')).stderr, /no rollout under way/)
    assert.match((await cli('rollback', '--to', '99', 'shop/web')).stderr, /has no revision 99/)
    assert.match((await cli('scale', 'nosuch=1')).stderr, /no such service: nosuch/)
  })

  test('a canary waits to be promoted, and one that is under way is aborted', async () => {
    const { cli } = bench()
    const canary = ['--strategy', 'canary', '--canary-steps', '50%:100ms', '--promote-by-hand']
    const { daemon } = bench()
    await cli.must('scale', '-d', 'shop/web=2')
    const deploy = cli.spawn('deploy', 'shop/web', '--env', 'C=1', ...canary)
    await deploy.shows(/50 % of the traffic/, PATIENCE_MS)
    assert.match(await cli.must('abort', 'shop/web'), /ready 2\/2/)
    assert.equal((await deploy.finish(PATIENCE_MS)).code, 1, daemon.log())
    const spawned = cli.spawn('deploy', 'shop/web', '--env', 'C=2', ...canary)
    await spawned.shows(/50 % of the traffic/, PATIENCE_MS)
    assert.match(await cli.must('promote', 'shop/web'), /ready 2\/2/)
    assert.equal((await spawned.finish(PATIENCE_MS)).code, 0)
  })

  test('a word for two kinds goes by the name, and a name of both kinds is refused', async () => {
    const { cli, docker } = bench()
    assert.equal(await cli.must('pause', 'web'), 'web')
    assert.equal(await cli.must('unpause', 'web'), 'web')
    await docker.must('swarm', 'init')
    await docker.must('service', 'create', '-d', '-q', '--name', 'web', '--stop-grace-period', '1ms', 'busybox', 'sleep', '1000')
    const refused = await cli('pause', 'web')
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /web is the name of a container and of a service\n.*service pause web/)
    assert.equal(await cli.must('container', 'pause', 'web'), 'web')
    assert.equal(await cli.must('container', 'unpause', 'web'), 'web')
    assert.equal((await cli('service', 'pause', 'web')).code, 0)
    assert.match(await cli.must('diff', 'done'), /^$|^[ACD] /)
    assert.match(await cli.must('history', 'busybox'), /^IMAGE/)
    assert.match(await cli.must('history', 'web'), /root \(swarm\) +web +created/)
    await cli.must('service', 'rm', 'web')
  })

  test('what Docker said of a service is what it says after a deploy of ours', async () => {
    const { cli, docker } = bench()
    const quick = ['--update-monitor', '1ms', '--stop-grace-period', '1ms']
    await docker.must('service', 'create', '-d', '-q', '--name', 'old', ...quick, '--env', 'A=1', 'busybox', 'sleep', '1000')
    assert.match(await cli.must('deploy', 'old', '--env', 'B=2', '--env-rm', 'A'), /revision 2/)
    const env = ['service', 'inspect', '-f', '{{.Spec.TaskTemplate.ContainerSpec.Env}}', 'old']
    assert.equal(await docker.must(...env), '[B=2]')
    await docker.must('service', 'update', '-d', '-q', '--env-add', 'C=3', 'old')
    // The client has no order of its own for them.
    assert.deepEqual((await docker.must(...env)).replaceAll(/[[\]]/g, '').split(' ').toSorted(), ['B=2', 'C=3'])
    await docker.must('service', 'rm', 'old')
  })

  test('a node is labelled, drained and takes its tasks back', async () => {
    const { cli } = bench()
    const node = await cli.must('node', 'ls', '--format', '{{.Hostname}}')
    assert.equal(await cli.must('node', 'update', '--label', 'zone=a', node), node)
    assert.match(await cli.must('node', 'ls', '-f', 'node.label=zone=a'), /ready +active .* zone=a/)
    assert.match(await cli.must('node', 'drain', '-d', node), /being drained/)
    await until('the node to be drained', PATIENCE_MS, async () =>
      (await cli.must('node', 'ls', '--format', '{{.Availability}}')) === 'drain' ? true : undefined,
    )
    assert.equal(await cli.must('node', 'update', '--availability', 'active', '--label-rm', 'zone', node), node)
    assert.equal(await cli.must('node', 'rebalance', '--dry-run'), 'nothing to move')
    assert.match(await cli.must('node', 'inspect', '-f', '{{.node.availability}}', node), /active/)
  })

  test('a plan that is not true any more is not carried out', async () => {
    const { daemon } = bench()
    const path = 'http://d/glovebox/v1/services/shop%2Fweb/operations?plan=0123456789abcdef'
    const body = JSON.stringify({ verb: 'scale', replicas: 5 })
    const { stdout } = await run('curl', ['-s', '--unix-socket', daemon.socketPath, '-X', 'POST', '-d', body, path])
    assert.match(stdout, /"code":"operation\.outdated"/)
    const wrong = JSON.stringify({ verb: 'scale', replicas: -1, more: 1 })
    const refused = await run('curl', ['-s', '--unix-socket', daemon.socketPath, '-X', 'POST', '-d', wrong, path])
    assert.match(refused.stdout, /unknown field \\"more\\"/)
  })

  test('down shows what goes, and asks before it deletes data', async () => {
    const { cli } = bench()
    assert.match(await cli.must('down', '--dry-run', '--volumes', directory), /volume shop_data +remove +its data goes/)
    const unasked = await cli('down', '--volumes', directory)
    assert.equal(unasked.code, 2)
    assert.match(unasked.stderr, /Say --yes where nobody can be asked/)
    assert.equal((await cli.with({ input: 'n\n' }, 'down', '--volumes', directory)).code, 1)
    assert.match(await cli.must('volume', 'ls', '-q'), /shop_data/)
    assert.equal(await cli.must('down', '--volumes', '--yes', directory), 'shop: removed, with its volumes')
    assert.doesNotMatch(await cli.must('volume', 'ls', '-q'), /shop_data/)
    assert.match(await cli.must('history', 'shop/web'), /root \(cli\) +shop\/web +removed/)
    assert.equal(await cli.must('down', '--volumes', directory), 'shop: nothing to do')
  })
})
