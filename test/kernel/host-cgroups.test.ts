import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

import { hostFixture } from './host-fixture.ts'

const { host, suffix, defer } = hostFixture()
const parent = `/glovebox-test-${suffix}`
defer(() => host.cgroups.remove(parent))

/** Puts a process into the group in every hierarchy, as the OCI runtime does: on v2 into one below, for a parent may hold none. */
function enter(path: string, pid: number): void {
  const targets = host.mounts.list('/sys/fs/cgroup').filter(({ type }) => type.startsWith('cgroup'))
  const place = host.cgroups.mode === 'v2' ? join(path, 'leaf') : path
  for (const { target } of targets)
    try {
      if (host.cgroups.mode === 'v2') mkdirSync(join(target, place), { recursive: true })
      writeFileSync(join(target, place, 'cgroup.procs'), String(pid), { flag: 'r+' })
    } catch {
      // A hierarchy that the host does not make groups in.
    }
}

async function sleeper(path: string): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  await once(child, 'spawn')
  defer(() => void child.kill('SIGKILL'))
  assert.ok(child.pid !== undefined)
  enter(path, child.pid)
  return child as ChildProcess & { readonly pid: number }
}

test('the layout of this machine is understood', () => {
  assert.ok(['v1', 'v2', 'hybrid'].includes(host.cgroups.mode))
  for (const controller of ['memory', 'cpu', 'pids']) assert.ok(host.cgroups.controllers.includes(controller), controller)
})

test('a group tells what its processes use', async () => {
  const path = `${parent}/usage`
  assert.equal(host.cgroups.usage(path), undefined)
  host.cgroups.createParent(path)
  host.cgroups.createParent(path)
  const child = await sleeper(path)
  assert.deepEqual(host.cgroups.pids(path), [child.pid])
  assert.deepEqual(host.cgroups.pids(parent), [child.pid])
  const usage = host.cgroups.usage(path)
  assert.equal(usage?.pids, 1)
  assert.equal(usage?.pidsLimit, undefined)
  assert.equal(usage?.memoryLimitBytes, undefined)
  assert.ok((usage?.memoryBytes ?? -1) >= 0)
  assert.ok((usage?.cpuNs ?? -1) >= 0)
  assert.equal(usage?.oomKills, 0)
  assert.ok(usage?.ioReadBytes !== undefined)
})

test('freezing holds the processes, and killing ends frozen ones too', async () => {
  const path = `${parent}/frozen`
  host.cgroups.createParent(`${path}/child`)
  const child = await sleeper(`${path}/child`)
  await host.cgroups.setFrozen(path, true)
  assert.equal(host.cgroups.freezeState(path), 'frozen')
  assert.equal(host.cgroups.freezeState(parent), 'thawed')
  const exited = once(child, 'exit')
  await host.cgroups.kill(path)
  assert.deepEqual(await exited, [null, 'SIGKILL'])
  assert.deepEqual(host.cgroups.pids(path), [])
  await host.cgroups.remove(path)
  assert.ok(!host.cgroups.exists(path))
})

test('removing waits until a group is empty, and an absent group is fine', async () => {
  const path = `${parent}/busy`
  host.cgroups.createParent(`${path}/a/b`)
  const child = await sleeper(`${path}/a/b`)
  setTimeout(() => child.kill('SIGKILL'), 50)
  await host.cgroups.remove(path)
  assert.ok(!host.cgroups.exists(path))
  await host.cgroups.remove(path)
  await host.cgroups.kill(path)
})

test('a parent goes when its last child has gone, and not before', async () => {
  const path = `${parent}/nest`
  host.cgroups.createParent(`${path}/child`)
  host.cgroups.removeIfEmpty(path)
  assert.ok(host.cgroups.exists(`${path}/child`))
  await host.cgroups.remove(`${path}/child`)
  host.cgroups.removeIfEmpty(path)
  assert.equal(host.cgroups.exists(path), false)
  host.cgroups.removeIfEmpty(path)
})

test('on a hybrid host the v2 controllers are hidden in a mount namespace of its own, and only there', () => {
  const script = `
    import { readFileSync } from 'node:fs'
    import { linuxHost } from '#host'
    const host = linuxHost()
    // A daemon outside may have masked it already: begin without, which stays within this namespace.
    for (const { target } of host.mounts.list('/sys/fs/cgroup')) if (target.endsWith('/cgroup.controllers')) host.mounts.unmount(target)
    const masked = [host.cgroups.maskUnifiedControllers(), host.cgroups.maskUnifiedControllers()]
    const unified = host.mounts.list('/sys/fs/cgroup').find(({ type }) => type === 'cgroup2')
    const text = unified === undefined ? '' : readFileSync(unified.target + '/cgroup.controllers', 'utf8')
    process.stdout.write(JSON.stringify({ masked, isEmpty: text === '' }))`
  const masks = () => host.mounts.list('/sys/fs/cgroup').filter(({ target }) => target.endsWith('/cgroup.controllers')).length
  const before = masks()
  const args = ['--mount', '--propagation', 'slave', process.execPath, '--input-type=module', '--eval', script]
  const seen: unknown = JSON.parse(execFileSync('unshare', args, { encoding: 'utf8', cwd: import.meta.dirname }))
  const isHybrid = host.cgroups.mode === 'hybrid'
  if (isHybrid) assert.deepEqual(seen, { masked: [true, true], isEmpty: true })
  assert.equal(masks(), before)
})

test('a path that climbs out is refused', () => {
  assert.throws(() => host.cgroups.createParent('/../etc'), { code: 'host.cgroup_failed' })
  assert.throws(() => host.cgroups.createParent('relative'), { code: 'host.cgroup_failed' })
})

test('warming moves a small helper without holding up the event loop, and leaves nothing behind', async () => {
  await host.cgroups.warm()
  await delay(150)
  let longestMs = 0
  let last = performance.now()
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last)
    last = performance.now()
  }, 1)
  await Promise.all([host.cgroups.warm(), host.cgroups.warm()])
  clearInterval(timer)
  assert.ok(longestMs < 50, `${longestMs} ms`)
  const children = readFileSync(`/proc/thread-self/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  const helper = host.processes.details(children).find(({ commandName }) => commandName === 'cat')
  assert.ok(helper !== undefined && helper.rssBytes < 4 * 1024 * 1024, JSON.stringify(helper))
})
