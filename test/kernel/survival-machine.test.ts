import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'

import { run, until } from '../support/processes.ts'
import { type Survivor, survivor } from './survival-fixture.ts'
import { memoryBytesOf } from './survival-traces.ts'

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
  await s.importImage()
})
after(async () => await s.dispose())

const stateOf = async (name: string) => (await s.inspect(name)).State

const becomes = async (name: string, wanted: string) =>
  await until(`${name} to be ${wanted}`, 5000, async () => {
    const { Status } = await stateOf(name)
    if (Status !== wanted) throw new Error(`it is ${Status}`)
    return true
  })

test('after a power cut records stay, ended containers say so, and policies start what should run', async () => {
  await s.must('run', '-d', '--name', 'plain', 'busybox', 'sleep', '1000')
  await s.must('run', '-d', '--name', 'always', '--restart', 'always', '-p', '127.0.0.1::80', 'busybox', 'sleep', '1000')
  await s.must(
    'run',
    '-d',
    '--name',
    'sharer',
    '--restart',
    'always',
    '--network',
    'container:always',
    'busybox',
    'sleep',
    '1000',
  )
  await s.must('run', '-d', '--name', 'halted', '--restart', 'unless-stopped', 'busybox', 'sleep', '1000')
  await s.must('run', '-d', '--rm', '--name', 'passing', '-v', '/data', 'busybox', 'sleep', '1000')
  await s.must('create', '--name', 'fresh', '--restart', 'always', 'busybox', 'sleep', '1000')
  await s.must('exec', 'plain', 'sh', '-c', 'echo kept > /note')
  await s.must('stop', '-t', '0', 'halted')
  await s.powerCut()
  await s.start()
  const plain = await stateOf('plain')
  assert.deepEqual([plain.Status, plain.ExitCode, plain.Pid], ['exited', 255, 0])
  await becomes('always', 'running')
  await becomes('sharer', 'running')
  assert.equal((await stateOf('halted')).Status, 'exited')
  assert.equal((await stateOf('fresh')).Status, 'created')
  assert.equal((await s.status('GET', '/containers/passing/json')).status, 404)
  assert.equal(await s.must('volume', 'ls', '-q'), '')
  await s.must('start', 'plain')
  assert.equal(await s.must('exec', 'plain', 'cat', '/note'), 'kept')
  await s.must('rm', '-f', 'plain', 'sharer', 'always', 'halted', 'fresh')
  await s.expectNoLeaks()
})

test('a stopped daemon has stopped its containers, and the next one starts those that the user had not stopped', async () => {
  await s.must('run', '-d', '--name', 'kept', '--stop-timeout', '1', '--restart', 'unless-stopped', 'busybox', 'sleep', '1000')
  await s.must('run', '-d', '--name', 'crashing', '--restart', 'unless-stopped', 'busybox', 'false')
  await s.must('run', '-d', '--name', 'once', '--stop-timeout', '1', 'busybox', 'sleep', '1000')
  await s.stopDaemon()
  await s.start()
  await becomes('kept', 'running')
  assert.ok(['restarting', 'running'].includes((await stateOf('crashing')).Status))
  const once = await stateOf('once')
  assert.deepEqual([once.Status, once.ExitCode], ['exited', 137])
  await s.must('rm', '-f', 'kept', 'crashing', 'once')
  await s.expectNoLeaks()
})

test('a process that takes more memory than it may is killed, and that is told', async () => {
  const eat = 'x=a; while true; do x=$x$x; done'
  await s.docker('run', '--name', 'hungry', '--memory', '16m', 'busybox', 'sh', '-c', eat)
  const { OOMKilled, ExitCode } = await stateOf('hungry')
  assert.deepEqual([OOMKilled, ExitCode], [true, 137])
  await s.must('rm', 'hungry')
  await s.expectNoLeaks()
})

test('a crash loop backs off and can be ended', async () => {
  await s.must('run', '-d', '--name', 'looping', '--restart', 'always', 'busybox', 'false')
  await new Promise((resolve) => setTimeout(resolve, 2500))
  const { RestartCount } = await s.inspect('looping')
  // 0.1, 0.2, 0.4, 0.8 s apart: the fifth is due after three seconds.
  assert.ok(RestartCount >= 3 && RestartCount <= 5, `${RestartCount} restarts in 2.5 s`)
  await s.must('stop', 'looping')
  assert.equal((await stateOf('looping')).Status, 'exited')
  const before = (await s.inspect('looping')).RestartCount
  await new Promise((resolve) => setTimeout(resolve, 2000))
  assert.equal((await s.inspect('looping')).RestartCount, before)
  await s.must('rm', 'looping')
  await s.must('run', '-d', '--name', 'limited', '--restart', 'on-failure:2', 'busybox', 'sh', '-c', 'exit 9')
  await becomes('limited', 'exited')
  assert.equal((await s.inspect('limited')).RestartCount, 2)
  await s.restart()
  assert.deepEqual([(await stateOf('limited')).Status, (await s.inspect('limited')).RestartCount], ['exited', 2])
  await s.must('rm', 'limited')
  await s.expectNoLeaks()
})

test('a start that fails leaves nothing behind', async () => {
  const failures: readonly (readonly string[])[] = [
    ['busybox', '/nowhere'],
    ['-u', 'nobody-known', 'busybox', 'true'],
    ['--network', 'container:nobody', 'busybox', 'true'],
    ['--pid', 'container:nobody', 'busybox', 'true'],
    ['-w', '/etc/passwd', 'busybox', 'true'],
    ['--sysctl', 'net.nothing.here=1', 'busybox', 'true'],
  ]
  for (const [index, args] of failures.entries()) {
    const { code, stderr } = await s.docker(
      'run',
      '--name',
      `failing-${index}`,
      '-p',
      '127.0.0.1::80',
      '-v',
      '/data',
      ...args.slice(0),
    )
    assert.ok(code >= 125 && code <= 127, `${args.join(' ')}: ${code} ${stderr}`)
    await s.docker('rm', '-f', '-v', `failing-${index}`)
  }
  const { code } = await s.docker('run', '--rm', 'busybox', '/nowhere')
  assert.equal(code, 127)
  assert.equal(await s.must('ps', '-aq'), '')
  assert.equal(await s.must('volume', 'ls', '-q'), '')
  await s.expectNoLeaks()
})

test('a hundred containers started by eight clients and removed again: no error, no leak', async (t) => {
  const COUNT = 100
  const CLIENTS = 8
  const errors: string[] = []
  const startedMs = performance.now()
  const byEach = async (work: (index: number) => Promise<unknown>) => {
    let next = 0
    const client = async () => {
      while (next < COUNT) await work(next++).catch((error: unknown) => errors.push(String(error)))
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
  }
  const rssBefore = memoryBytesOf(s.pid())
  await byEach(async (index) => {
    await s.api('POST', `/containers/create?name=many-${index}`, { Image: 'busybox', Cmd: ['sleep', '1000'] })
    await s.api('POST', `/containers/many-${index}/start`)
  })
  const upMs = performance.now()
  const running = (await s.must('ps', '-q', '--filter', 'name=many-')).split('\n').length
  const rssAfter = memoryBytesOf(s.pid())
  await byEach(async (index) => await s.api('DELETE', `/containers/many-${index}?force=1`))
  const downMs = performance.now()
  const perContainer = (ms: number) => (ms / COUNT).toFixed(1)
  t.diagnostic(
    `${perContainer(upMs - startedMs)} ms to start one, ${perContainer(downMs - upMs)} ms to remove one, daemon ${Math.round(rssBefore / 1e6)} MB before and ${Math.round(rssAfter / 1e6)} MB with all running`,
  )
  assert.deepEqual(errors, [])
  assert.equal(running, COUNT)
  await s.expectNoLeaks()
})

/** A file system of this size that goes with the test. */
async function smallDisk(t: TestContext, size: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'gb-disk-'))
  const disk = join(directory, 'disk')
  mkdirSync(disk)
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk])
  t.after(async () => {
    await run('umount', ['-l', disk])
    rmSync(directory, { recursive: true, force: true })
  })
  return disk
}

test('a full disk costs log lines and gives clear errors, and all goes on when there is room again', async (t) => {
  const disk = await smallDisk(t, '24m')
  const full = await survivor({ root: join(disk, 'root') })
  t.after(async () => await full.dispose())
  await full.start()
  await full.importImage()
  const talk = 'i=0; while true; do i=$((i+1)); echo line $i; usleep 2000; done'
  await full.must('run', '-d', '--name', 'talker', 'busybox', 'sh', '-c', talk)
  await full.must('run', '-d', '--name', 'ending', 'busybox', 'sleep', '1000')
  const fillPath = join(disk, 'filling')
  await run('dd', ['if=/dev/zero', `of=${fillPath}`, 'bs=64k', 'count=10000'])
  await run('dd', ['if=/dev/zero', `of=${fillPath}`, 'bs=1', 'count=65536', 'oflag=append', 'conv=notrunc'])
  const big = join(full.directory, 'big.tar')
  writeFileSync(join(full.directory, 'big'), Buffer.alloc(3_000_000, 'x'))
  await run('tar', ['-C', full.directory, '-cf', big, 'big'])
  const imported = await full.docker('import', big, 'big')
  assert.notEqual(imported.code, 0)
  assert.match(imported.stderr + imported.stdout, /no space left|disk is full|ENOSPC/i)
  const refused = await full.docker('run', '--name', 'refused', 'busybox', 'true')
  assert.ok(refused.code !== 0 || refused.stderr === '')
  if (refused.code !== 0) assert.match(refused.stderr, /no space left|disk is full|ENOSPC|database or disk is full/i)
  await full.docker('kill', 'ending')
  assert.equal((await full.inspect('talker')).State.Status, 'running')
  rmSync(fillPath)
  await until('the end to be booked', 15_000, async () =>
    (await full.inspect('ending')).State.Status === 'exited' ? true : undefined,
  )
  assert.equal(await full.must('run', '--rm', 'busybox', 'echo', 'room'), 'room')
  const tail = async () => await full.must('logs', '--tail', '1', 'talker')
  const before = await tail()
  await until('the log to go on', 5000, async () => ((await tail()) !== before ? true : undefined))
  await full.restart()
  await full.must('rm', '-f', 'talker', 'ending')
  await full.docker('rm', '-f', 'refused')
  await full.expectNoLeaks()
})
