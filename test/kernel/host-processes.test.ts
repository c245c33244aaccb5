import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { test } from 'node:test'

import { hostFixture } from './host-fixture.ts'

const { host, defer } = hostFixture()

async function sleeper(argument = '1000') {
  const child = spawn('sleep', [argument], { stdio: 'ignore' })
  await once(child, 'spawn')
  defer(() => void child.kill('SIGKILL'))
  assert.ok(child.pid !== undefined)
  const identity = host.processes.identity(child.pid)
  assert.ok(identity !== undefined)
  return { child, identity }
}

test('a watcher hears of the end of a process, once, and a disposed one does not', async () => {
  const { identity } = await sleeper()
  const calls: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  host.processes.watchExit(identity, () => {
    calls.push('first')
    resolve()
  })
  host.processes.watchExit(identity, () => calls.push('disposed'))[Symbol.dispose]()
  // Without this the watcher alone would not keep the process alive.
  const alive = setInterval(() => undefined, 1000)
  assert.ok(host.processes.isAlive(identity))
  assert.ok(host.processes.signal(identity, constants.signals.SIGTERM))
  await promise
  await new Promise((done) => setTimeout(done, 20))
  clearInterval(alive)
  assert.deepEqual(calls, ['first'])
  assert.ok(!host.processes.isAlive(identity))
  assert.equal(host.processes.signal(identity, constants.signals.SIGTERM), false)
})

test('watching a process that is gone calls back too', async () => {
  const alive = setInterval(() => undefined, 1000)
  await new Promise<void>((resolve) => host.processes.watchExit({ pid: process.pid, startTicks: 1 }, resolve))
  clearInterval(alive)
})

test('another process with the same pid is never signalled', async () => {
  const { child, identity } = await sleeper()
  assert.equal(host.processes.signal({ ...identity, startTicks: identity.startTicks - 1 }, constants.signals.SIGKILL), false)
  assert.equal(child.exitCode, null)
  assert.ok(host.processes.isAlive(identity))
})

test('no process, no identity', () => {
  assert.equal(host.processes.identity(4_194_304), undefined)
})

test('details are those that ps would show', async () => {
  const { identity } = await sleeper('999')
  const [details, ...others] = host.processes.details([identity.pid, 4_194_304])
  assert.equal(others.length, 0)
  assert.deepEqual(details?.commandLine, ['sleep', '999'])
  assert.equal(details?.parentPid, process.pid)
  assert.equal(details?.user, 'root')
  assert.match(details?.state ?? '', /^[RS]$/)
  assert.ok((details?.rssBytes ?? 0) > 0)
  assert.ok(Math.abs((details?.startedAtMs ?? 0) - Date.now()) < 5000)
})

test('the kernel facts are there', () => {
  const facts = host.kernel.facts()
  assert.match(facts.bootId, /^[0-9a-f-]{36}$/)
  assert.ok(facts.capabilities.includes('CAP_NET_ADMIN'))
  assert.ok(facts.fileSystems.includes('overlay'))
  assert.ok((facts.rlimits.nofile?.hard ?? 0) >= 1024)
  assert.ok(facts.memoryBytes > 0 && facts.cpus > 0)
  assert.equal(facts.cgroupMode, host.cgroups.mode)
})
