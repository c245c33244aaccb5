import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'node:test'

import type { GloveboxError } from '#base'
import type { ExecStart, ShimConnection } from '#engine/runtime'

import { clock, collect, fixture, type Collected } from './fixture.ts'

type Process = ReturnType<ExecStart['process']>

const ALL = ['CAP_CHOWN', 'CAP_SETUID', 'CAP_SYS_ADMIN', 'CAP_CHECKPOINT_RESTORE']

/** A container that waits, and a way to start further processes in it. */
async function container(t: TestContext) {
  const made = await fixture(t)
  const { id, process: first } = await made.run(['wait'], {
    change: (config) => {
      const mounts = config['mounts'] as object[]
      mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777'] })
    },
  })
  let count = 0
  const enter = async (change: Partial<Process>, options: Partial<ExecStart> = {}) => {
    count += 1
    let wired: { connection: ShimConnection; output: Collected } | undefined
    const process = await made.runtime.exec({
      id,
      dir: made.dir(`e${count}`),
      isTty: false,
      hasStdin: false,
      subscription: { stdout: true, stderr: true },
      ...options,
      process: () => ({ args: ['/init'], env: ['PATH=/'], cwd: '/', user: { uid: 0, gid: 0 }, capabilities: {}, ...change }),
      onConnected: (connection) => void (wired = { connection, output: collect(connection) }),
    })
    assert.ok(wired)
    return { process, ...wired }
  }
  const textOf = async (change: Partial<Process>, options: Partial<ExecStart> = {}) => {
    const { process, output } = await enter(change, options)
    await process.outputEnded
    return output.text()
  }
  const failure = async (change: Partial<Process>) =>
    await enter(change).then(
      () => assert.fail('it started'),
      (error: unknown) => error as GloveboxError,
    )
  const end = async () => {
    first.signal(9)
    await first.exited
  }
  return { ...made, id, first, enter, textOf, failure, end }
}

const field = (status: string, name: string) =>
  new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1]?.replaceAll('\t', ' ') ?? ''

test('it has the user, groups, capabilities, limits and marks that it is given, and no others', async (t) => {
  const { textOf, end } = await container(t)
  const args = ['/init', 'cat', '/proc/self/status', 'cat', '/proc/self/limits', 'cat', '/proc/self/oom_score_adj']
  const root = await textOf({ args, capabilities: { bounding: ALL, effective: ALL, permitted: ALL }, oomScoreAdj: 7 })
  assert.deepEqual(
    ['CapBnd', 'CapPrm', 'CapEff', 'CapInh', 'CapAmb'].map((name) => field(root, name)),
    ['0000010000200081', '0000010000200081', '0000010000200081', '0000000000000000', '0000000000000000'],
  )
  assert.equal(field(root, 'NoNewPrivs'), '0')
  assert.match(root, /\n7\n$/)
  const user = await textOf({
    args,
    user: { uid: 1000, gid: 100, additionalGids: [5, 6] },
    capabilities: { bounding: ALL },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 33, hard: 44 }],
    noNewPrivileges: true,
  })
  assert.deepEqual(
    ['Uid', 'Gid', 'Groups', 'CapBnd', 'CapPrm', 'CapEff', 'NoNewPrivs'].map((name) => field(user, name).trim()),
    ['1000 1000 1000 1000', '100 100 100 100', '5 6', '0000010000200081', '0000000000000000', '0000000000000000', '1'],
  )
  assert.match(user, /Max open files\s+33\s+44/)
  await end()
})

test('a terminal has its size from the first moment, can be resized, and is the controlling one', async (t) => {
  const { enter, end } = await container(t)
  const { process, output } = await enter(
    { args: ['/init', 'winsize', 'size'], consoleSize: { height: 21, width: 43 } },
    { isTty: true, hasStdin: true },
  )
  await output.until('21 x 43\r\nready')
  process.resize(33, 77)
  await output.until('33 x 77')
  await process.outputEnded
  const { connection, process: second, output: typed } = await enter({ args: ['/init', 'wait'] }, { isTty: true, hasStdin: true })
  // Ctrl-C reaches the foreground group of a controlling terminal only.
  await connection.stdin(Buffer.from('\u0003'))
  assert.equal((await second.exited).signal, 2)
  assert.equal(typed.text().trim(), '^C')
  await end()
})

test('what cannot be executed is told with its reason and the exit code of shells', async (t) => {
  const { failure, root, end } = await container(t)
  const rootfs = join(root, 'bundles', '1', 'rootfs')
  writeFileSync(join(rootfs, 'text'), 'no program', { mode: 0o755 })
  writeFileSync(join(rootfs, 'plain'), 'no program', { mode: 0o644 })
  mkdirSync(join(rootfs, 'dir'), { recursive: true })
  const told = async (change: Partial<Process>) => {
    const { message, details } = await failure(change)
    return `${String(details['exitCode'])} ${message.replace(/^.*: (?=exec|ch)/, '')}`
  }
  assert.equal(await told({ args: ['nope'] }), '127 executable file `nope` not found in $PATH: No such file or directory')
  assert.equal(await told({ args: ['/nope'] }), '127 executable file `/nope` not found in $PATH: No such file or directory')
  assert.equal(await told({ args: ['plain'] }), '126 execute `plain`: Permission denied')
  assert.equal(await told({ args: ['/dir'] }), '126 execute `/dir`: Permission denied')
  assert.equal(await told({ args: ['/text'] }), '126 execute `/text`: Exec format error')
  assert.match(await told({ cwd: '/nowhere' }), /change to the working directory \/nowhere: No such file or directory$/)
  await end()
})

test('a user may be given a directory that it could not enter, and finds programs on its own PATH', async (t) => {
  const { textOf, root, end } = await container(t)
  mkdirSync(join(root, 'bundles', '1', 'rootfs', 'closed'), { mode: 0o700 })
  const text = await textOf({
    args: ['init', 'out', 'here'],
    env: ['PATH=/tmp:/'],
    cwd: '/closed',
    user: { uid: 1000, gid: 1000 },
  })
  assert.equal(text, 'here')
  await end()
})

test('a container that is not the one that was meant is not entered', async (t) => {
  const { failure, root, id, end } = await container(t)
  const path = join(root, 'state', id, 'status')
  const status = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  writeFileSync(path, JSON.stringify({ ...status, 'process-start-time': 1 }))
  assert.match((await failure({})).message, /find the container's first process: No such process/)
  writeFileSync(path, JSON.stringify(status))
  await end()
})

test('it cannot leave by a working directory that is an open descriptor, nor see more than the container', async (t) => {
  const { failure, textOf, end } = await container(t)
  for (const fd of [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    assert.match((await failure({ cwd: `/proc/self/fd/${fd}` })).message, /working directory/)
  assert.match(await textOf({ args: ['/init', 'cat', '/proc/1/cmdline'] }), /^\/init/)
  await end()
})

test('one that is prepared executes nothing until it is told to, and goes when nobody wants it any more', async (t) => {
  const { runtime, id, dir, root, end } = await container(t)
  const asked: string[] = []
  const prepare = (name: string) =>
    runtime.prepare(
      {
        id,
        dir: dir(name),
        process: () => ({ args: ['/init', 'out', 'now', 'exit', '4'], env: [], cwd: '/', user: { uid: 0, gid: 0 } }),
        isTty: false,
        hasStdin: false,
      },
      () => void asked.push(name),
    )
  const waiting = async (name: string) => {
    for (let tries = 0; tries < 500; tries += 1) {
      const found = processesIn(root).find((pid) => readlinkSync(`/proc/${pid}/exe`).startsWith('/memfd:'))
      if (found !== undefined) return found
      await clock.sleep(10)
    }
    return assert.fail(`${name} never stood in the container`)
  }
  const prepared = prepare('p1')
  await waiting('p1')
  assert.deepEqual(asked, ['p1'])
  let output: Collected | undefined
  const process = await runtime.exec({
    id,
    dir: dir('p1'),
    process: () => assert.fail('asked again'),
    isTty: false,
    hasStdin: false,
    subscription: { stdout: true, stderr: true },
    onConnected: (connection) => void (output = collect(connection)),
    prepared,
  })
  assert.equal((await process.exited).exitCode, 4)
  await process.outputEnded
  assert.equal(output?.text(), 'now')
  assert.equal(prepared.isReady, false)
  const unwanted = prepare('p2')
  const pid = await waiting('p2')
  unwanted.close()
  while (existsSync(`/proc/${pid}`)) await clock.sleep(5)
  const killed = prepare('p3')
  globalThis.process.kill(await waiting('p3'), 'SIGKILL')
  while (killed.isReady) await clock.sleep(5)
  await end()
})

/** Those in the control groups of the only container below this root. */
function processesIn(root: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${basename(root)}/1\n`)
      } catch {
        return false
      }
    })
}
