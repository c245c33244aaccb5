import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { until } from '../support/processes.ts'
import { killProcess, type Survivor, survivor } from './survival-fixture.ts'
import { shimPid, shimServerPid } from './survival-traces.ts'

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
  await s.importImage()
})
after(async () => await s.dispose())

test('a container runs on with its pid while the daemon is killed, and its log has neither gap nor duplicate', async () => {
  await s.must(
    'run',
    '-d',
    '--name',
    'counter',
    'busybox',
    'sh',
    '-c',
    'i=0; while true; do i=$((i+1)); echo $i; usleep 5000; done',
  )
  const before = await s.inspect('counter')
  for (let round = 0; round < 3; round += 1) await s.restart()
  const after = await s.inspect('counter')
  assert.equal(after.State.Pid, before.State.Pid)
  assert.equal(after.State.StartedAt, before.State.StartedAt)
  assert.equal(after.NetworkSettings.IPAddress, before.NetworkSettings.IPAddress)
  const lines = (await s.must('logs', 'counter')).split('\n').map(Number)
  assert.deepEqual(
    lines,
    lines.map((_, index) => index + 1),
  )
  assert.ok(lines.length > 20)
  assert.equal(await s.must('exec', 'counter', 'echo', 'hello'), 'hello')
  const attached = s.spawn('attach', '--no-stdin', 'counter')
  const [first] = await attached.shows(/^\d+$/m)
  assert.ok(Number(first) >= lines.length)
  attached.kill('SIGKILL')
  const waiting = s.spawn('wait', 'counter')
  await until('the waiter to be there', 2000, async () => (await s.must('kill', 'counter'), true))
  assert.equal((await waiting.ended).stdout, '137\n')
  await s.must('rm', 'counter')
  await s.expectNoLeaks()
})

test('what ended while the daemon was away is booked with its exit code and its time, removed or started again as asked', async () => {
  // They end when they are told to: on a busy machine the last of them starts seconds after the first.
  const door = join(s.directory, 'door')
  mkdirSync(door)
  const untilOpen = (code: number) => ['busybox', 'sh', '-c', `while [ ! -e /door/open ]; do usleep 10000; done; exit ${code}`]
  const started: string[] = []
  const runUntilOpen = async (code: number, ...options: readonly string[]) =>
    started.push(await s.must('run', '-d', '-v', `${door}:/door`, ...options, ...untilOpen(code)))
  await runUntilOpen(7, '--name', 'plain')
  await runUntilOpen(0, '--rm', '--name', 'transient', '-v', '/data')
  await runUntilOpen(3, '--restart', 'always', '--name', 'always')
  await runUntilOpen(0, '--restart', 'on-failure:5', '--name', 'fine')
  await s.must('run', '-d', '--restart', 'unless-stopped', '--name', 'stopped', 'busybox', 'sleep', '1000')
  await s.must('stop', '-t', '0', 'stopped')
  await s.kill()
  const openMs = Date.now()
  writeFileSync(join(door, 'open'), '')
  const isWrittenDown = (id: string) => existsSync(join(s.runDir, 'c', id, 'exit.json'))
  await until('all of them to have ended', 10_000, async () => await Promise.resolve(started.every(isWrittenDown) || undefined))
  const endedMs = Date.now()
  await s.start()
  const plain = await s.inspect('plain')
  assert.deepEqual([plain.State.Status, plain.State.ExitCode], ['exited', 7])
  const finishedMs = Date.parse(plain.State.FinishedAt)
  // The clocks of the two are read to the millisecond and to the nanosecond.
  assert.ok(
    finishedMs >= openMs - 1 && finishedMs <= endedMs + 1,
    `${plain.State.FinishedAt} is when it ended, not when it was found`,
  )
  assert.equal((await s.status('GET', '/containers/transient/json')).status, 404)
  assert.equal(await s.must('volume', 'ls', '-q'), '')
  assert.equal((await s.inspect('fine')).State.Status, 'exited')
  const always = await until('the policy to apply', 3000, async () => {
    const seen = await s.inspect('always')
    return seen.RestartCount > 0 ? seen : undefined
  })
  assert.ok(['running', 'restarting'].includes(always.State.Status))
  assert.equal((await s.inspect('stopped')).State.Status, 'exited')
  await s.must('rm', '-f', 'plain', 'always', 'fine', 'stopped')
  await s.expectNoLeaks()
})

test('health checks go on after a restart of the daemon', async () => {
  const check = ['--health-cmd', 'test ! -e /sick', '--health-interval', '200ms', '--health-retries', '2']
  await s.must('run', '-d', '--name', 'patient', ...check, 'busybox', 'sleep', '1000')
  const becomes = async (wanted: string) =>
    await until(`it to be ${wanted}`, 5000, async () =>
      (await s.inspect('patient')).State.Health?.Status === wanted ? true : undefined,
    )
  await becomes('healthy')
  await s.restart()
  assert.equal((await s.inspect('patient')).State.Health?.Status, 'healthy')
  await s.must('exec', 'patient', 'touch', '/sick')
  await becomes('unhealthy')
  await s.must('rm', '-f', 'patient')
  await s.expectNoLeaks()
})

test('names and published ports work again after the daemon was killed, and while it is away ports go on', async () => {
  await s.must('network', 'create', 'lan')
  const answer = 'while true; do echo -e "HTTP/1.0 200 OK\\r\\n\\r\\nhello" | nc -l -p 80; done'
  await s.must('run', '-d', '--name', 'web', '--network', 'lan', '-p', '127.0.0.1::80', 'busybox', 'sh', '-c', answer)
  await s.must('run', '-d', '--name', 'asker', '--network', 'lan', 'busybox', 'sleep', '1000')
  const port = (await s.inspect('web')).NetworkSettings.Ports['80/tcp']?.[0]?.HostPort ?? ''
  const fetched = async () =>
    await until('an answer from the published port', 5000, async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) })).text()
      return text.includes('hello') ? true : undefined
    })
  await fetched()
  await s.kill()
  await fetched()
  await s.start()
  await fetched()
  assert.equal((await s.inspect('web')).NetworkSettings.Ports['80/tcp']?.[0]?.HostPort, port)
  assert.match(
    await s.must('exec', 'asker', 'nslookup', 'web'),
    new RegExp((await s.inspect('web')).NetworkSettings.Networks['lan']?.IPAddress ?? ''),
  )
  await s.must('rm', '-f', 'web')
  await s.restart()
  assert.notEqual((await s.docker('exec', 'asker', 'nslookup', 'web')).code, 0)
  await s.must('rm', '-f', 'asker')
  await s.must('network', 'rm', 'lan')
  await s.expectNoLeaks()
})

test('a paused container stays paused, and one that was frozen when the daemon died can be thawed', async () => {
  await s.must('run', '-d', '--name', 'cold', 'busybox', 'sleep', '1000')
  await s.must('pause', 'cold')
  await s.restart()
  assert.equal((await s.inspect('cold')).State.Status, 'paused')
  await s.must('unpause', 'cold')
  assert.equal(await s.must('exec', 'cold', 'echo', 'warm'), 'warm')
  await s.must('rm', '-f', 'cold')
  await s.expectNoLeaks()
})

test('a container whose shim is killed is booked as killed, and its restart policy applies', async () => {
  await s.must('run', '-d', '--name', 'orphan', 'busybox', 'sleep', '1000')
  await s.must('run', '-d', '--name', 'phoenix', '--restart', 'always', 'busybox', 'sleep', '1000')
  for (const name of ['orphan', 'phoenix']) killProcess(shimPid(s, (await s.inspect(name)).Id))
  const orphan = await until('it to be exited', 5000, async () => {
    const seen = await s.inspect('orphan')
    return seen.State.Status === 'exited' ? seen : undefined
  })
  assert.equal(orphan.State.ExitCode, 137)
  await until('the other to be back', 5000, async () => {
    const { State, RestartCount } = await s.inspect('phoenix')
    return State.Status === 'running' && RestartCount === 1 ? true : undefined
  })
  await s.must('start', 'orphan')
  const ids = [(await s.inspect('orphan')).Id, (await s.inspect('phoenix')).Id]
  await s.kill()
  for (const id of ids) killProcess(shimPid(s, id))
  await s.start()
  assert.deepEqual([(await s.inspect('orphan')).State.Status, (await s.inspect('orphan')).State.ExitCode], ['exited', 137])
  await s.must('rm', '-f', 'orphan', 'phoenix')
  await s.expectNoLeaks()
})

test('a killed shim server is no more than a start away', async () => {
  await s.must('run', '--rm', 'busybox', 'true')
  for (let round = 0; round < 3; round += 1) {
    killProcess(shimServerPid(s.directory, s.pid()))
    assert.equal(await s.must('run', '--rm', 'busybox', 'echo', 'here'), 'here')
  }
  await s.expectNoLeaks()
})
