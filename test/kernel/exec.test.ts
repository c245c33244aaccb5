import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { until } from '../support/processes.ts'
import { killProcess, type Survivor, survivor } from './survival-fixture.ts'
import { shimServerPid } from './survival-traces.ts'

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
  await s.importImage()
  await s.must('run', '-d', '--init', '--name', 'box', '--pids-limit', '12', '--memory', '32m', 'busybox', 'sleep', '1000')
})
after(async () => await s.dispose())

interface ExecInspect {
  readonly Running: boolean
  readonly ExitCode: number | null
  readonly Pid: number
}

const inspectExec = async (id: string) => await s.api<ExecInspect>('GET', `/exec/${id}/json`)

async function startExec(script: string): Promise<string> {
  const { Id } = await s.api<{ Id: string }>('POST', '/containers/box/exec', { Cmd: ['sh', '-c', script] })
  await s.api('POST', `/exec/${Id}/start`, { Detach: true })
  return Id
}

const ended = async (id: string) =>
  await until('the exec to end', 5000, async () => {
    const seen = await inspectExec(id)
    return seen.Running ? undefined : seen
  })

test('it is where the first process is: in every control group and every namespace', async () => {
  const id = await startExec('sleep 60')
  const pids = [(await s.inspect('box')).State.Pid, (await inspectExec(id)).Pid]
  const [first, further] = pids.map((pid) => ({
    groups: readFileSync(`/proc/${pid}/cgroup`, 'utf8'),
    namespaces: readdirSync(`/proc/${pid}/ns`).map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`)),
    root: readlinkSync(`/proc/${pid}/root`),
  }))
  assert.deepEqual(further, first)
  killProcess(pids[1] ?? 0)
  assert.equal((await ended(id)).ExitCode, 137)
})

test('the limits of the container hold for it', async () => {
  const forks = await s.docker('exec', 'box', 'sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do sleep 1 & done; wait')
  assert.match(forks.stderr, /fork/)
  await until('they to be gone', 5000, async () => ((await s.must('top', 'box')).split('\n').length === 3 ? true : undefined))
  const hog = await s.docker('exec', 'box', 'sh', '-c', 'x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done')
  assert.equal(hog.code, 137)
  assert.equal((await s.inspect('box')).State.Running, true)
})

test('it holds no descriptor of ours, and what it could ask for as our program is a copy', async () => {
  const open = await s.must('exec', 'box', 'sh', '-c', 'ls /proc/$$/fd; true')
  assert.deepEqual(open.split('\n'), ['0', '1', '2'])
  assert.match(readlinkSync(`/proc/${shimServerPid(s.directory, s.pid())}/exe`), /^\/memfd:/)
})

test('one that runs on while its daemon is killed is known to the next, and so is how it ended', async () => {
  const before = await startExec('exit 4')
  await ended(before)
  const away = await startExec('sleep 0.3; exit 5')
  const across = await startExec('sleep 3; exit 6')
  await s.kill()
  await new Promise((resolve) => setTimeout(resolve, 500))
  await s.start()
  assert.equal((await inspectExec(before)).ExitCode, 4)
  assert.deepEqual(await inspectExec(away).then(({ Running, ExitCode }) => ({ Running, ExitCode })), {
    Running: false,
    ExitCode: 5,
  })
  assert.equal((await inspectExec(across)).Running, true)
  assert.equal((await ended(across)).ExitCode, 6)
  await s.restart()
  assert.equal((await inspectExec(across)).ExitCode, 6)
})

test('when its shim is killed it ends as well, and that is told', async () => {
  const id = await startExec('sleep 1000')
  const { Pid } = await inspectExec(id)
  const { Id } = await s.inspect('box')
  const { shimPid } = JSON.parse(readFileSync(join(s.runDir, 'c', Id, 'e', id.slice(0, 16), 'state.json'), 'utf8')) as {
    shimPid: number
  }
  killProcess(shimPid)
  assert.equal((await ended(id)).ExitCode, 137)
  await until('its process to be gone', 5000, async () => await Promise.resolve(existsSync(`/proc/${Pid}`) ? undefined : true))
  assert.equal(await s.must('exec', 'box', 'echo', 'well'), 'well')
})

test('with the container everything of them goes', async () => {
  await startExec('sleep 1000')
  await s.must('rm', '-f', 'box')
  await s.expectNoLeaks()
})
