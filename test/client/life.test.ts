import assert from 'node:assert/strict'
import { test } from 'node:test'

import { until } from '../support/processes.ts'
import { eachClient } from './each-client.ts'

eachClient('the life of a container', (bench) => {
  test('ps filters and formats', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'up', '--label', 'kind=a', 'busybox', 'sleep', '100')
    await docker('run', '--name', 'down', '--label', 'kind=b', 'busybox', 'sh', '-c', 'exit 2')
    const names = (...filter: readonly string[]) =>
      docker.must('ps', '--all', '--format', '{{.Names}}', ...filter.flatMap((one) => ['--filter', one]))
    assert.equal(await docker.must('ps', '--format', '{{.Names}} {{.Image}} {{.Command}}'), 'up busybox "sleep 100"')
    assert.equal(await names(), 'down\nup')
    assert.equal(await names('status=running'), 'up')
    assert.equal(await names('label=kind'), 'down\nup')
    assert.equal(await names('label=kind=b'), 'down')
    assert.equal(await names('exited=2'), 'down')
    assert.equal(await names('name=^up$'), 'up')
    assert.equal(await names('ancestor=busybox', 'status=exited'), 'down')
    assert.equal(await names('since=up'), 'down')
    assert.match(await docker.must('ps', '--all', '--format', '{{.Status}}', '--filter', 'name=down'), /^Exited \(2\) /)
    assert.match(await docker.must('ps', '--size', '--format', '{{.Size}}'), /virtual/)
    assert.equal(await docker.must('ps', '--latest', '--format', '{{.Names}}'), 'down')
    await docker.must('rm', '--force', 'up', 'down')
  })

  test('inspect tells what was asked for and what came of it', async () => {
    const { docker } = bench()
    const id = await docker.must('run', '-d', '--name', 'seen', '--label', 'a=b', '-e', 'X=1', 'busybox', 'sleep', '100')
    const seen = await docker.inspect('seen')
    assert.equal(seen.Id, id)
    assert.equal(seen.Name, '/seen')
    assert.deepEqual([seen.Path, seen.Args], ['sleep', ['100']])
    assert.equal(seen.State.Status, 'running')
    assert.ok(seen.State.Pid > 0)
    assert.equal(seen.Config.Image, 'busybox')
    assert.match(seen.Image, /^sha256:/)
    assert.equal(seen.Config.Labels.a, 'b')
    assert.ok(seen.Config.Env.includes('X=1'))
    for (const path of [seen.LogPath, seen.HostsPath, seen.HostnamePath, seen.ResolvConfPath]) assert.match(path, new RegExp(id))
    assert.match(seen.NetworkSettings.IPAddress || seen.NetworkSettings.Networks.bridge.IPAddress, /^\d+\.\d+\.\d+\.\d+$/)
    assert.equal(await docker.must('inspect', '--format', '{{.State.Status}} {{len .Mounts}}', 'seen'), 'running 0')
    assert.ok((await docker.must('inspect', '--size', '--format', '{{.SizeRootFs}}', 'seen')) !== '0')
    await docker.must('rm', '-f', 'seen')
    assert.match((await docker('inspect', 'seen')).stderr, /No such object: seen/i)
  })

  test('stop waits, then kills; kill sends what it is told', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'deaf', 'busybox', 'sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done')
    await docker.must('stop', '--time', '1', 'deaf')
    assert.equal((await docker.inspect('deaf')).State.ExitCode, 137)
    await docker.must('start', 'deaf')
    await docker.must('kill', 'deaf')
    assert.equal((await docker.inspect('deaf')).State.ExitCode, 137)
    await docker.must('rm', 'deaf')
    const script = 'trap "exit 21" USR1; trap "exit 22" INT; while :; do sleep 0.05; done'
    await docker.must('run', '-d', '--name', 'ears', '--stop-signal', 'INT', 'busybox', 'sh', '-c', script)
    await docker.must('stop', 'ears')
    assert.equal((await docker.inspect('ears')).State.ExitCode, 22)
    await docker.must('start', 'ears')
    await until('the trap to be set', 3000, async () => await Promise.resolve(true))
    await docker.must('exec', 'ears', 'sleep', '0.1')
    await docker.must('kill', '--signal', 'USR1', 'ears')
    assert.equal(await docker.must('wait', 'ears'), '21')
    assert.match((await docker('kill', 'ears')).stderr, /is not running/)
    await docker.must('rm', 'ears')
  })

  test('restart gives a new process to the same container', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'twice', 'busybox', 'sh', '-c', 'echo life >> /lives; exec sleep 100')
    const { Pid } = (await docker.inspect('twice')).State
    await docker.must('restart', '--time', '0', 'twice')
    assert.notEqual((await docker.inspect('twice')).State.Pid, Pid)
    assert.equal(await docker.must('exec', 'twice', 'cat', '/lives'), 'life\nlife')
    await docker.must('rm', '-f', 'twice')
  })

  test('pause freezes and unpause thaws', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'cold', 'busybox', 'sleep', '100')
    await docker.must('pause', 'cold')
    assert.equal((await docker.inspect('cold')).State.Status, 'paused')
    assert.match(await docker.must('ps', '--format', '{{.Status}}'), /\(Paused\)/)
    assert.equal((await docker('pause', 'cold')).code, 1)
    await docker.must('unpause', 'cold')
    assert.equal((await docker.inspect('cold')).State.Status, 'running')
    await docker.must('pause', 'cold')
    await docker.must('stop', '--time', '0', 'cold')
    assert.equal((await docker.inspect('cold')).State.Status, 'exited')
    await docker.must('rm', 'cold')
  })

  test('rename, update, top, stats and diff work on a container that runs', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'old', 'busybox', 'sh', '-c', 'echo x > /made; rm /etc/notes; exec sleep 4321')
    await docker.must('rename', 'old', 'new')
    assert.equal((await docker.inspect('new')).Name, '/new')
    await docker.must(
      'update',
      '--memory',
      '64m',
      '--memory-swap',
      '64m',
      '--cpus',
      '0.5',
      '--pids-limit',
      '50',
      '--restart',
      'on-failure:2',
      'new',
    )
    const { HostConfig } = await docker.inspect('new')
    assert.deepEqual(
      [HostConfig.Memory, HostConfig.NanoCpus, HostConfig.PidsLimit, HostConfig.RestartPolicy.Name],
      [67108864, 500000000, 50, 'on-failure'],
    )
    assert.match(await docker.must('top', 'new'), /sleep 4321/)
    assert.match(await docker.must('top', 'new', '-o', 'pid,args'), /PID\s+COMMAND\n\d+\s+sleep 4321/)
    assert.match(
      await docker.must('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}'),
      /^new .* \/ 64MiB 1$/,
    )
    assert.equal(await docker.must('diff', 'new'), 'C /etc\nD /etc/notes\nA /made')
    await docker.must('rm', '-f', 'new')
    await docker.must('run', '-d', '--rm', '--name', 'brief', 'busybox', 'sleep', '100')
    assert.match((await docker('update', '--restart', 'always', 'brief')).stderr, /AutoRemove is enabled/)
    await docker.must('rm', '-f', 'brief')
  })

  test('rm refuses what runs, and -f does not', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'busy', 'busybox', 'sleep', '100')
    assert.match((await docker('rm', 'busy')).stderr, /cannot remove (a running )?container/i)
    await docker.must('rm', '--force', 'busy')
    assert.equal(await docker.must('ps', '-aq'), '')
    assert.match((await docker('rm', 'busy')).stderr, /No such container: busy/)
  })

  test('events tell the story in order', async () => {
    const { docker } = bench()
    const since = Date.now() / 1000
    await docker.must('run', '--rm', '--name', 'story', 'busybox', 'true')
    await until('the destruction', 3000, async () => ((await docker('inspect', 'story')).code === 1 ? true : undefined))
    const until_ = String(Date.now() / 1000 + 0.1)
    const told = await docker.must(
      'events',
      '--since',
      String(since),
      '--until',
      until_,
      '--filter',
      'type=container',
      '--format',
      '{{.Action}}',
    )
    assert.deepEqual(told.split('\n'), ['create', 'attach', 'start', 'die', 'destroy'])
    const live = docker.spawn(
      'events',
      '--filter',
      'container=watched',
      '--filter',
      'event=start',
      '--format',
      '{{.Actor.Attributes.name}}',
    )
    await until('the event', 5000, async () => {
      await docker.must('run', '--rm', '--name', 'watched', 'busybox', 'true')
      return live.stdout() === '' ? undefined : true
    })
    live.kill('SIGINT')
    await live.finish()
    assert.match(live.stdout(), /^watched\n/)
  })

  test('prune removes what has ended and leaves what runs', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'runs', 'busybox', 'sleep', '100')
    await docker.must('run', '--name', 'ended', 'busybox', 'true')
    await docker.must('container', 'prune', '--force')
    assert.equal(await docker.must('ps', '-a', '--format', '{{.Names}}'), 'runs')
    await docker.must('rm', '-f', 'runs')
  })

  test('version and info describe the daemon', async () => {
    const { docker } = bench()
    assert.match(await docker.must('version', '--format', '{{.Server.Version}} {{.Server.APIVersion}}'), /^\d+\.\d+\.\d+ 1\.\d+$/)
    const info = JSON.parse(await docker.must('info', '--format', '{{json .}}'))
    assert.equal(info.ServerErrors ?? null, null)
    assert.equal(info.Containers, 0)
    assert.equal(info.Images, 1)
    assert.ok(info.NCPU > 0 && info.MemTotal > 0)
  })
})
