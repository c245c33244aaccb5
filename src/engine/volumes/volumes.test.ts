import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import fc from 'fast-check'

import { GloveboxError, memoryRecords, seededRandom, silentLog, virtualClock, type RecordStore } from '#base'
import type { EngineEvent } from '#engine/events'
import { fakeHost } from '#host'

import { mountArguments, readLocalOptions } from './local-options.ts'
import type { Mounter } from './mounter.ts'
import { createVolumes } from './volumes.ts'

const PLAIN = { driver: 'local', driverOptions: {}, labels: {}, isAnonymous: false }
const TMPFS = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' }

function rig(t: TestContext, given: { root?: string; records?: RecordStore } = {}) {
  const root = given.root ?? mkdtempSync(join(tmpdir(), 'glovebox-volumes-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const records = given.records ?? memoryRecords()
  const users = new Map<string, string[]>()
  const running = new Map<string, string[]>()
  const mounted = new Set<string>()
  const events: Omit<EngineEvent, 'timeNs'>[] = []
  const calls: string[] = []
  const mounter: Mounter = {
    isMounted: (target) => mounted.has(target),
    mount: async (mount, target) => {
      calls.push(mountArguments(mount, target).slice(0, -1).join(' '))
      mounted.add(target)
    },
    unmount: (target) => {
      calls.push('unmount')
      mounted.delete(target)
    },
  }
  const volumes = createVolumes({
    ...{ root, records, mounter, clock: virtualClock(), random: seededRandom(1), log: silentLog(), host: fakeHost() },
    events: { publish: (event) => void events.push(event) } as Parameters<typeof createVolumes>[0]['events'],
    usersOf: (name) => users.get(name) ?? [],
    runningUsersOf: (name) => running.get(name) ?? [],
  })
  const home = join(root, 'volumes')
  const entries = () => readdirSync(home).toSorted()
  return { root, records, volumes, users, running, mounted, events, calls, home, entries }
}

test('a volume of the same name and options is given back, one with others is a conflict', async (t) => {
  const { volumes } = rig(t)
  const first = await volumes.create({ ...PLAIN, name: 'data', driverOptions: TMPFS })
  assert.deepEqual(await volumes.create({ ...PLAIN, name: 'data' }), first)
  await assert.rejects(volumes.create({ ...PLAIN, name: 'data', driverOptions: { ...TMPFS, o: 'size=2m' } }), /exists with other/)
})

test('a volume in use is not removed, and the refusal names its users', async (t) => {
  const { volumes, users } = rig(t)
  await volumes.create({ ...PLAIN, name: 'data' })
  users.set('data', ['web', 'worker'])
  await assert.rejects(volumes.remove('data', { force: true }), /remove data: volume is in use - \[web, worker\]/)
  users.clear()
  await volumes.remove('data', { force: false })
  await assert.rejects(volumes.remove('data', { force: false }), /no such volume/)
  await volumes.remove('data', { force: true })
})

test('options are mounted for as long as somebody holds the volume', async (t) => {
  const { volumes, mounted, calls, running } = rig(t)
  await volumes.create({ ...PLAIN, name: 'data', driverOptions: TMPFS })
  await volumes.hold('data', 'a')
  await volumes.hold('data', 'b')
  assert.deepEqual(calls, ['-t tmpfs -o size=1m -- tmpfs'])
  await volumes.release('data', 'a')
  assert.equal(mounted.size, 1)
  await assert.rejects(volumes.remove('data', { force: false }), /in use - \[b\]/)
  running.set('data', ['of an earlier daemon'])
  await volumes.release('data', 'b')
  assert.equal(mounted.size, 1)
  running.clear()
  await volumes.release('data', 'nobody')
  assert.equal(mounted.size, 0)
})

test('a removal that a crash cut short is finished, also when its name is wanted again first', async (t) => {
  const before = rig(t)
  await before.volumes.create({ ...PLAIN, name: 'one' })
  await before.volumes.create({ ...PLAIN, name: 'two' })
  for (const name of ['one', 'two']) writeFileSync(join(before.home, name, '_data', 'file'), 'old')
  // As far as the records and no further.
  for (const name of ['one', 'two']) {
    before.records.table('volume').delete(name)
    before.records.table('volume_removal').put(name, {})
  }
  const after = rig(t, before)
  const two = await after.volumes.create({ ...PLAIN, name: 'two' })
  assert.deepEqual(readdirSync(two.mountpoint), [])
  await after.volumes.recover()
  assert.deepEqual(after.entries(), ['two'])
  assert.deepEqual(after.records.table('volume_removal').entries(), [])
})

test('a directory without a record goes only if nothing is in it', async (t) => {
  const { volumes, home, entries } = rig(t)
  mkdirSync(join(home, 'half-made', '_data'), { recursive: true })
  mkdirSync(join(home, '.orphan-empty', '_data'), { recursive: true })
  mkdirSync(join(home, 'precious', '_data'), { recursive: true })
  writeFileSync(join(home, 'precious', '_data', 'file'), 'kept')
  symlinkSync('/etc', join(home, 'link'))
  await volumes.recover()
  assert.deepEqual(entries(), ['.orphan-link', '.orphan-precious'])
  await volumes.recover()
  assert.deepEqual(entries(), ['.orphan-link', '.orphan-precious'])
  assert.ok(existsSync('/etc/passwd'))
})

test('what is mounted in a volume is not deleted with it', async (t) => {
  const { volumes, mounted, calls } = rig(t)
  const { mountpoint } = await volumes.create({ ...PLAIN, name: 'data', driverOptions: TMPFS })
  mounted.add(mountpoint)
  await volumes.remove('data', { force: false })
  assert.deepEqual(calls, ['unmount'])
})

test('prune takes anonymous ones, all if asked, never what is used or kept, and tells', async (t) => {
  const { volumes, users, events } = rig(t)
  for (const name of ['named', 'used', 'kept']) await volumes.create({ ...PLAIN, name })
  const { name: anonymous } = await volumes.create({ ...PLAIN, name: null, isAnonymous: true })
  users.set('used', ['web'])
  const keep = ({ name }: { name: string }) => name === 'kept'
  assert.deepEqual((await volumes.prune({ all: false, keep })).deleted, [anonymous])
  assert.deepEqual((await volumes.prune({ all: true, keep })).deleted, ['named'])
  assert.deepEqual(events.at(-1)?.action, 'prune')
})

test('options of the local driver are read as dockerd reads them', () => {
  assert.equal(readLocalOptions({}), null)
  assert.deepEqual(readLocalOptions({ type: 'none', o: 'bind,ro', device: '/srv' }), {
    type: 'none',
    device: '/srv',
    options: 'bind,ro',
  })
  for (const [options, complaint] of [
    [{ o: 'bind' }, /missing required option: "type"/],
    [{ type: 'nfs' }, /missing required option: "device"/],
    [{ device: '/srv' }, /missing required option: "type"/],
    [{ size: '10G' }, /"size" needs quotas/],
    [{ colour: 'red' }, /invalid option: "colour"/],
    [{ type: '-o', device: '/srv' }, /no file system type/],
    [{ type: 'none', device: '--help' }, /cannot be mounted/],
  ] as const)
    assert.throws(() => readLocalOptions(options), complaint)
})

test('whatever the options are, mount(8) never takes a device or a target for a flag', () => {
  const value = fc.oneof(fc.string(), fc.constantFrom('tmpfs', '/srv', 'bind', '-o', '--', 'none'))
  fc.assert(
    fc.property(fc.record({ type: value, o: value, device: value }, { requiredKeys: [] }), (options) => {
      let args: readonly string[]
      try {
        const mount = readLocalOptions(options)
        if (mount === null) return
        args = mountArguments(mount, '/target')
      } catch (error) {
        assert.ok(error instanceof GloveboxError && ['invalid', 'unsupported'].includes(error.kind))
        return
      }
      const end = args.indexOf('--')
      assert.deepEqual(args.slice(end), ['--', options.device, '/target'])
      assert.ok(args.slice(0, end).every((arg, i) => i % 2 === 0 || !arg.startsWith('-')))
    }),
  )
})
