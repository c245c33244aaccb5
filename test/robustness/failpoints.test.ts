import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { failpointNames } from '../../src/daemon/failpoints/steps.ts'
import { run, until } from '../support/processes.ts'
import { killProcess, type Survivor, survivor } from '../kernel/survival-fixture.ts'
import { fakeRegistry, offerImage, type FakeRegistry } from '../kernel/registry-server.ts'
import { makeFilled, operations, type Operation } from './operations.ts'

/**
 * How much of it: `all` takes each step of each operation, every time that it is taken; `once` each step, in the first operation that takes
 * it; without either, of each operation the step in the middle.
 */
const EXTENT = process.env['GLOVEBOX_FAILPOINTS'] ?? 'middle'
/** Of the operations whose name has this in it. */
const ONLY = process.env['GLOVEBOX_FAILPOINTS_OF'] ?? ''
/** What an operation leaves to be done after its answer is done within this. */
const DEATH_TIMEOUT_MS = 1500

let s: Survivor
let steadyPid = 0
let registry: FakeRegistry
let all: readonly Operation[]

before(async () => {
  s = await survivor()
  await s.start()
  await s.importImage()
  await makeFilled(s)
  const small = join(s.directory, 'small')
  mkdirSync(small)
  writeFileSync(join(small, 'file'), 'small')
  await run('tar', ['-C', small, '-cf', join(s.directory, 'small.tar'), '.'])
  registry = await fakeRegistry()
  offerImage(registry, 'tag', [{ tar: readFileSync(join(s.directory, 'small.tar')) }])
  all = operations(`${registry.host}/some/image:tag`)
  await s.must('run', '-d', '--name', 'steady', '--restart', 'always', 'busybox', 'sleep', '100000')
  steadyPid = (await s.inspect('steady')).State.Pid
})
after(async () => {
  await registry.close()
  // It would have ten seconds to end by itself.
  await s.docker('rm', '-f', 'steady')
  await s.dispose()
})

const nameOf = (step: string) => step.split(':')[0] ?? ''

/** The steps of one operation in their order, as `NAME:NTH`. */
async function stepsOf(operation: Operation): Promise<readonly string[]> {
  await operation.prepare(s)
  const since = s.log().length
  await operation.act(s)
  // As verify and undo have steps of their own.
  await new Promise((resolve) => setTimeout(resolve, 100))
  const names = [
    ...s
      .log()
      .slice(since)
      .matchAll(/failpoint name=(\S+)/g),
  ].map(([, name]) => name ?? '')
  await operation.verify?.(s)
  await operation.undo(s)
  const counts = new Map<string, number>()
  return names.map((name) => {
    counts.set(name, (counts.get(name) ?? 0) + 1)
    return `${name}:${counts.get(name)}`
  })
}

/** What must be true whatever the daemon was doing when it died. */
async function expectSound(what: string): Promise<void> {
  assert.equal((await s.inspect('steady')).State.Pid, steadyPid, `${what}: the container that runs beside it`)
  await s.expectNoLeaks().catch((error: unknown) => assert.fail(`${what}: ${String(error)}\n${s.log().slice(-3000)}`))
  for (const { Id, State } of await s.api<{ Id: string; State: string }[]>('GET', '/containers/json?all=1')) {
    const seen = await s.inspect(Id)
    assert.equal(seen.State.Status, State, what)
    if (['running', 'paused'].includes(State)) assert.ok(existsSync(`/proc/${seen.State.Pid}`), what)
    else assert.equal(seen.State.Pid, 0, what)
  }
  await expectWholeImages(what)
  await expectNoStrangeVolumes(what)
}

const blobs = () => readdirSync(join(s.directory, 'root/content/blobs/sha256')).map((name) => `sha256:${name}`)

async function expectWholeImages(what: string): Promise<void> {
  const stored = new Set(blobs())
  for (const { Id } of await s.api<{ Id: string }[]>('GET', '/images/json?all=1')) {
    const { RootFS } = await s.api<{ RootFS: { Layers: string[] } }>('GET', `/images/${Id}/json`)
    for (const digest of [Id, ...RootFS.Layers]) assert.ok(stored.has(digest), `${what}: ${Id} lacks ${digest}`)
  }
}

async function expectNoStrangeVolumes(what: string): Promise<void> {
  const { Volumes } = await s.api<{ Volumes: { Name: string }[] | null }>('GET', '/volumes')
  const known = new Set((Volumes ?? []).map(({ Name }) => Name))
  const strange = readdirSync(join(s.directory, 'root/volumes')).filter((name) => !known.has(name) && !name.startsWith('.'))
  assert.deepEqual(strange, [], `${what}: volumes without a record`)
}

/** Everything that lasts, by name: after an operation and its undoing it is what it was. */
async function holdings(): Promise<object> {
  const names = async (path: string, pick: (all: any) => readonly any[], key: string) =>
    pick(await s.api('GET', path))
      .map((one) => String(one[key]))
      .toSorted()
  return {
    containers: await names('/containers/json?all=1', (all) => all, 'Id'),
    images: await names('/images/json?all=1', (all) => all, 'Id'),
    networks: await names('/networks', (all) => all, 'Name'),
    volumes: await names('/volumes', ({ Volumes }) => Volumes ?? [], 'Name'),
    blobs: blobs().toSorted(),
    layers: readdirSync(join(s.directory, 'root/snapshots/layers')).toSorted(),
  }
}

/** False: this time it did not come by that step. */
async function dieAt(operation: Operation, step: string): Promise<boolean> {
  const what = `${operation.name}, killed before ${step}`
  const before = await holdings()
  await operation.prepare(s)
  await s.kill()
  await s.start({ GLOVEBOX_FAILPOINT: step })
  const acted = operation.act(s).then(
    () => 'done',
    () => 'failed',
  )
  // Steps that come after the answer are taken soon after it.
  const isDead = await Promise.race([s.died(30_000), acted.then(async () => await s.died(DEATH_TIMEOUT_MS))])
  await acted
  if (!isDead) await s.kill()
  await s.start()
  try {
    await expectSound(what)
    if (!(await operation.isDone(s))) await operation.act(s)
    await operation.verify?.(s)
    await operation.undo(s)
    await operation.settle?.(s)
  } catch (error) {
    await operation.undo(s).catch(() => undefined)
    throw new Error(`${what}: ${String(error)}\n${s.log().slice(-3000)}`, { cause: error })
  }
  await expectSound(`${what}, done again`)
  await until('everything to be as it was', 5000, async () => {
    assert.deepEqual(await holdings(), before, what)
    return await Promise.resolve(true)
  })
  return isDead
}

test('a daemon that is killed before any step of any operation comes back sound, and the operation can be done', async (t) => {
  const seen = new Map<string, readonly string[]>()
  await t.test('every declared step is taken by some operation, and no other', async () => {
    await s.kill()
    await s.start({ GLOVEBOX_FAILPOINT: 'trace' })
    for (const operation of all) seen.set(operation.name, await stepsOf(operation))
    const taken = new Set([...seen.values()].flat().map(nameOf))
    assert.deepEqual([...taken].toSorted(), failpointNames().toSorted())
  })
  await s.restart()
  const killed = new Set<string>()
  let kills = 0
  for (const operation of all.filter(({ name }) => name.includes(ONLY))) {
    await t.test(operation.name, async () => {
      const steps = seen.get(operation.name) ?? []
      for (const step of EXTENT === 'middle' ? steps.slice(steps.length / 2, steps.length / 2 + 1) : steps) {
        if (EXTENT === 'once' && killed.has(nameOf(step))) continue
        if (!(await dieAt(operation, step))) continue
        killed.add(nameOf(step))
        kills += 1
      }
    })
  }
  t.diagnostic(`killed ${kills} times, before ${killed.size} different steps`)
  if (ONLY !== '') return
  if (EXTENT === 'middle') assert.ok(kills >= all.length - 2, `of ${all.length} operations`)
  else
    assert.deepEqual(
      failpointNames().filter((name) => !killed.has(name)),
      [],
      'steps at which it never died',
    )
})

test('a daemon that is killed before every step of its recovery comes back sound in the end', async (t) => {
  const names = ['left', 'ended', 'removed'] as const
  const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1' }] } } }
  for (const name of names) {
    await s.api('POST', `/containers/create?name=${name}`, {
      ...body,
      ...(name === 'removed' ? { HostConfig: { AutoRemove: true } } : {}),
    })
    await s.api('POST', `/containers/${name}/start`)
  }
  const pids = await Promise.all(names.map(async (name) => (await s.inspect(name)).State.Pid))
  await s.kill()
  for (const pid of pids.slice(1)) killProcess(pid)
  let deaths = 0
  // One step further each time; the last time it gets to the end.
  while (!(await s.tryStart({ GLOVEBOX_FAILPOINT: `recovery:${deaths + 1}` }))) {
    deaths += 1
    assert.ok(deaths < 200, s.log().slice(-3000))
  }
  t.diagnostic(`died ${deaths} times on the way`)
  assert.ok(deaths >= 5, `died ${deaths} times`)
  await expectSound('killed all the way through recovery')
  assert.deepEqual([(await s.inspect('left')).State.Status, (await s.inspect('ended')).State.Status], ['running', 'exited'])
  assert.equal((await s.status('GET', '/containers/removed/json')).status, 404)
  for (const name of ['left', 'ended']) await s.api('DELETE', `/containers/${name}?force=1`)
  await expectSound('all removed')
})
