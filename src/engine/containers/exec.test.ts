import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { ExecSpec } from './port.ts'
import { rig } from './test-rig.ts'

const SPEC: ExecSpec = {
  cmd: ['work', 'hard'],
  env: [],
  workingDir: '',
  user: '',
  hasTty: false,
  isPrivileged: false,
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  detachKeys: '',
}
const DETACHED = { detach: true, hasTty: false, consoleSize: null }

async function running(t: Parameters<typeof rig>[0]) {
  const made = await rig(t)
  const { id } = await made.containers.create(made.spec(), 'box')
  await made.containers.start(id)
  const execProcess = () => {
    const found = [...made.runtime.processes].findLast(([dir]) => dir.includes('/e/'))?.[1]
    assert.ok(found)
    return found
  }
  return { ...made, id, execProcess }
}

test('an exec is created, runs, and is known with its exit code for a while after', async (t) => {
  const { containers, seen, execProcess, settle, clock } = await running(t)
  const id = await containers.exec.create('box', SPEC)
  assert.deepEqual([containers.exec.get(id).state, containers.exec.list('box').length], ['created', 1])
  await containers.exec.start(id, DETACHED)
  assert.equal(containers.exec.get(id).pid, execProcess().running.pid)
  execProcess().exit(3)
  await settle()
  assert.deepEqual([containers.exec.get(id).state, containers.exec.get(id).exitCode], ['exited', 3])
  assert.deepEqual(containers.exec.list('box'), [])
  assert.deepEqual(seen.slice(-3), ['container exec_create: work hard', 'container exec_start: work hard', 'container exec_die'])
  await clock.advance(6 * 60_000)
  assert.throws(() => containers.exec.get(id), { code: 'exec.not_found' })
})

test('an exec runs once', async (t) => {
  const { containers, execProcess, settle } = await running(t)
  const id = await containers.exec.create('box', SPEC)
  await containers.exec.start(id, DETACHED)
  await assert.rejects(containers.exec.start(id, DETACHED), /is already running/)
  execProcess().exit(0)
  await settle()
  await assert.rejects(containers.exec.start(id, DETACHED), /has already run/)
})

test('one that cannot be started has an exit code that says why', async (t) => {
  const { containers, runtime } = await running(t)
  const codeOf = async (words: string) => {
    const id = await containers.exec.create('box', SPEC)
    runtime.failNextStart(words)
    await assert.rejects(containers.exec.start(id, DETACHED))
    return containers.exec.get(id).exitCode
  }
  assert.equal(await codeOf('executable file `work` not found in $PATH: No such file or directory'), 127)
  assert.equal(await codeOf('execute `work`: Permission denied'), 126)
  assert.equal(await codeOf('change to the working directory /nope: No such file or directory'), 126)
})

test('it goes on without the daemon, and the next one knows how it ended', async (t) => {
  const { containers, again, seen, execProcess, settle } = await running(t)
  const before = await containers.exec.create('box', SPEC)
  await containers.exec.start(before, DETACHED)
  execProcess().exit(1)
  await settle()
  const during = await containers.exec.create('box', SPEC)
  await containers.exec.start(during, DETACHED)
  const process = execProcess()
  const second = await again()
  assert.deepEqual([second.exec.get(during).state, second.exec.get(before).exitCode], ['running', 1])
  assert.equal(second.exec.get(during).pid, process.running.pid)
  const third = await again()
  process.exit(7)
  await settle()
  assert.equal(third.exec.get(during).exitCode, 7)
  const fourth = await again()
  assert.equal(fourth.exec.get(during).exitCode, 7)
  assert.equal(seen.filter((event) => event === 'container exec_die').length, 2)
})

test('one that ended while no daemon was there is told of by the next one, once', async (t) => {
  const { containers, again, seen, runtime, execProcess } = await running(t)
  const id = await containers.exec.create('box', SPEC)
  await containers.exec.start(id, DETACHED)
  const process = execProcess()
  const opening = again()
  process.exit(9)
  const second = await opening
  assert.equal(second.exec.get(id).exitCode, 9)
  await again()
  assert.equal(seen.filter((event) => event === 'container exec_die').length, 1)
  assert.ok(runtime.calls.some((call) => call.startsWith('exec ')))
})

test('keys to detach are looked at when the exec is created', async (t) => {
  const { containers } = await running(t)
  await assert.rejects(containers.exec.create('box', { ...SPEC, detachKeys: 'ctrl-$' }), /ctrl-\$/)
  await assert.rejects(containers.exec.create('box', { ...SPEC, cmd: [] }), /No exec command/)
})

test('one that was created waits in the container for its start, for five seconds', async (t) => {
  const { containers, runtime, execProcess, settle, clock } = await running(t)
  const prepared = () => runtime.calls.filter((call) => call.startsWith('prepare ')).length
  const id = await containers.exec.create('box', SPEC)
  await settle()
  assert.equal(prepared(), 1)
  await containers.exec.start(id, DETACHED)
  execProcess().exit(2)
  await settle()
  assert.equal(containers.exec.get(id).exitCode, 2)
  const late = await containers.exec.create('box', SPEC)
  await settle()
  await clock.advance(6_000)
  await containers.exec.start(late, DETACHED)
  assert.deepEqual([prepared(), containers.exec.get(late).state], [2, 'running'])
  const terminal = await containers.exec.create('box', SPEC)
  await settle()
  await containers.exec.start(terminal, { ...DETACHED, detach: false, hasTty: true })
  assert.equal(containers.exec.get(terminal).state, 'running')
})
