import assert from 'node:assert/strict'
import { test } from 'node:test'

import { GloveboxError, silentLog, virtualClock } from '#base'
import type { EnvironmentRecord } from '#cluster/model'
import { readCompose, tieRestarts, type StackSpec } from '#cluster/spec'
import type { Stacks, StackStatus } from '#cluster/stacks'

import { memoryStore } from '../store/memory.ts'
import { openEnvironments, type EnvironmentAction, type NewEnvironment } from './index.ts'

const HOUR_MS = 3_600_000
const FILE = `
services:
  web: { image: "web:1", ports: ["8080:80"], volumes: ["data:/data"], depends_on: { db: { condition: service_started, restart: true } } }
  db: { image: "db:1", x-glovebox: {} }
volumes: { data: }
`
const ANN = { by: 'ann', from: 'cli' } as const
const NEVER = new AbortController().signal

const wanted = (more: Partial<NewEnvironment> = {}): NewEnvironment => ({
  name: 'pr-42',
  from: 'shop',
  settings: [],
  hostPattern: null,
  hosts: [],
  lifeMs: 72 * HOUR_MS,
  values: { secrets: {}, configs: {} },
  hasWritableBinds: false,
  ...more,
})

test('a copy is applied with the images of its source, and what it sets is looked up anew', async () => {
  await using world = await open()
  const { environment, change } = await world.environments.create(wanted({ settings: ['web.image=web:2'] }), ANN)
  assert.deepEqual([environment.stack, environment.stackState, change.isChanged], ['shop--pr-42', 'ready', true])
  assert.deepEqual(world.applied.get('shop--pr-42')?.images, { db: 'sha256:db' })
  assert.equal(world.spec('shop--pr-42')?.services[0]?.task.image, 'web:2')
  await assert.rejects(world.environments.create(wanted(), ANN), { code: 'environment.name_taken' })
  await assert.rejects(world.environments.create(wanted({ from: 'nobody', name: 'x' }), ANN), { code: 'environment.not_found' })
  assert.equal((await world.environments.get('shop/pr-42')).name, 'pr-42')
  await assert.rejects(
    world.environments.refuseStack('shop--pr-42', (name) => `env rm ${name}`),
    {
      code: 'environment.is_environment',
      hint: 'env rm shop/pr-42',
    },
  )
  await world.environments.refuseStack('shop', () => '')
})

test('a failed creation leaves nothing behind, and a name is free again', async () => {
  const shared = state()
  await using world = await open(shared)
  shared.refuses = true
  await assert.rejects(world.environments.create(wanted(), ANN), { kind: 'conflict' })
  assert.deepEqual(await world.environments.list(), [])
  shared.refuses = false
  world.volumes.push('shop--pr-42_data')
  await assert.rejects(world.environments.create(wanted(), ANN), { code: 'environment.name_taken', message: /is there already/ })
  world.volumes.pop()
  await world.environments.create(wanted(), ANN)
})

test('settings come on top of each other, and who begins anew with others is tied to what those are made from', async () => {
  await using world = await open()
  await world.environments.create(wanted({ settings: ['web.replicas=2', 'web.environment.A=1'] }), ANN)
  const tied = () => world.spec('shop--pr-42')?.services.find(({ name }) => name === 'web')?.task.restartsWith?.['db']
  const before = tied()
  const { environment } = await world.environments.set('pr-42', ['web.environment.A=2', 'db.environment.B=3'], ANN)
  assert.deepEqual(environment.settings, ['web.replicas=2', 'web.environment.A=2', 'db.environment.B=3'])
  assert.equal(world.spec('shop--pr-42')?.services[0]?.task.environment['A'], '2')
  assert.notEqual(tied(), before)
  await assert.rejects(world.environments.set('pr-42', ['web.ports=1'], ANN), { code: 'environment.setting_invalid' })
})

test('its end is announced once, and then it is removed once with its volumes, whoever died in between', async () => {
  const shared = state()
  {
    await using world = await open(shared)
    await world.environments.create(wanted({ lifeMs: 10 * HOUR_MS }), ANN)
    await world.pass(8 * HOUR_MS)
    assert.deepEqual(world.told, ['create shop--pr-42'])
    await world.pass(1.5 * HOUR_MS)
    assert.deepEqual(world.told, ['create shop--pr-42', 'announce shop--pr-42'])
  }
  {
    await using world = await open(shared)
    shared.isStuck = true
    await world.pass(HOUR_MS)
    assert.deepEqual(world.told, ['expire shop--pr-42'])
    assert.equal((await world.environments.get('pr-42')).reason, 'its time was over')
    await assert.rejects(world.environments.extend('pr-42', HOUR_MS), { code: 'environment.is_being_removed' })
  }
  shared.isStuck = false
  await using world = await open(shared)
  await world.pass(2 * HOUR_MS)
  assert.deepEqual(world.told, ['remove shop--pr-42'])
  assert.deepEqual(await world.environments.list(), [])
  assert.deepEqual(shared.removed, [['shop--pr-42', true]])
  // Another one of the name has nothing to fear.
  await world.environments.create(wanted({ lifeMs: null }), ANN)
  await world.pass(100 * HOUR_MS)
  assert.deepEqual(shared.removed, [['shop--pr-42', true]])
})

test('an end that is put off does not come, and is announced again', async () => {
  await using world = await open()
  await world.environments.create(wanted({ lifeMs: 2 * HOUR_MS }), ANN)
  await world.pass(1.9 * HOUR_MS)
  await world.environments.extend('pr-42', 2 * HOUR_MS)
  await world.pass(HOUR_MS)
  assert.equal((await world.environments.list()).length, 1)
  await world.pass(2 * HOUR_MS)
  assert.deepEqual(
    world.told,
    ['create', 'announce', 'update', 'announce', 'expire', 'remove'].map((action) => `${action} shop--pr-42`),
  )
})

test('one that is removed by hand is gone when the call returns', async () => {
  await using world = await open()
  await world.environments.create(wanted(), ANN)
  await world.environments.remove('pr-42', NEVER, ANN)
  assert.deepEqual(world.removed, [['shop--pr-42', true]])
  await assert.rejects(world.environments.remove('pr-42', NEVER, ANN), { code: 'environment.not_found' })
})

test('what was cut short while it was made is taken down', async () => {
  const shared = state()
  const record = { stack: 'shop--x', name: 'x', application: 'shop', state: 'creating' } as EnvironmentRecord
  await shared.store.write({ puts: [{ key: 'environment/shop--x', value: record }] })
  await using world = await open(shared)
  for (let round = 0; round < 10; round += 1) await world.pass(10)
  assert.deepEqual([await world.environments.list(), shared.removed], [[], []])
})

function state() {
  const clock = virtualClock(Date.parse('2026-05-01T12:00:00Z'))
  const store = memoryStore(clock)
  const applied = new Map<string, { readonly spec: StackSpec; readonly images: Readonly<Record<string, string>> }>()
  return { clock, store, applied, removed: [] as [string, boolean][], volumes: [] as string[], isStuck: false, refuses: false }
}

/** Stacks that are there as soon as they are said, and go when they are told unless they are stuck. */
async function open(shared = state()) {
  const { clock, store, applied } = shared
  const input = {
    path: 'c.yaml',
    text: FILE,
    directory: '/srv',
    environment: {},
    dotEnv: null,
    stackName: 'shop',
    profiles: null,
  }
  const images = { web: 'sha256:web', db: 'sha256:db' }
  const { spec, restarts } = await readCompose({ ...input, readFile: () => null })
  if (!applied.has('shop')) applied.set('shop', { spec: tieRestarts(spec, restarts, images), images })
  const told: string[] = []
  const stacks: Pick<Stacks, 'apply' | 'remove' | 'specs' | 'get' | 'wantedImages'> = {
    apply: async (wish, ids) => {
      if (shared.refuses) throw new GloveboxError('stack.port_taken', 'conflict', 'refused')
      applied.set(wish.name, { spec: wish, images: ids })
      return await Promise.resolve({ name: wish.name, revision: 1, isChanged: true, changes: [], warnings: [] })
    },
    remove: async (name, { volumes, signal }) => {
      if (!applied.has(name)) throw new GloveboxError('stack.not_found', 'not_found', `no such stack: ${name}`)
      if (shared.isStuck) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
      applied.delete(name)
      shared.removed.push([name, volumes])
    },
    specs: () => [...applied.values()].map((one) => one.spec),
    get: (name) => ({ name, state: 'ready', services: [], whyNotYet: null }) as unknown as StackStatus,
    wantedImages: () =>
      [...applied.values()].flatMap((one) =>
        one.spec.services.map(({ name, task }) => ({ stack: one.spec.name, image: one.images[name] ?? task.image })),
      ),
  }
  const secrets = {
    inspect: async () => await Promise.reject(new Error('not asked')),
    put: async () => await Promise.reject(new Error('not asked')),
    list: async () => await Promise.resolve([]),
    usersOf: async () => await Promise.resolve([]),
    remove: async () => await Promise.reject(new Error('not asked')),
  }
  const environments = openEnvironments({
    store,
    stacks,
    secrets,
    volumes: async () => await Promise.resolve(shared.volumes),
    freePort: async () => await Promise.resolve(20_000),
    clock,
    log: silentLog(),
    tell: (action: EnvironmentAction, { stack }) => void told.push(`${action} ${stack}`),
  })
  const world = {
    ...shared,
    environments,
    told,
    spec: (name: string) => applied.get(name)?.spec,
    pass: async (ms: number) => {
      const endMs = clock.nowMs() + ms
      while (clock.nowMs() < endMs) await clock.advance(Math.min(5 * 60_000, endMs - clock.nowMs()))
      await clock.advance(1)
    },
    [Symbol.asyncDispose]: async () => await environments[Symbol.asyncDispose](),
  }
  return world
}
