import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import { seededRandom, silentLog, virtualClock } from '#base'
import { keyOf, type RevisionRecord, type ServiceRecord } from '#cluster/model'
import { openSecrets } from '#cluster/secrets'
import { openMirror, openServices, SERVICE_PREFIXES, templateHash, type ServiceWish } from '#cluster/services'
import { PLAIN_SERVICE, type JobSpec, type ServiceSpec } from '#cluster/spec'

import { memoryStore } from '../store/memory.ts'
import { planRotation, startRotation } from './index.ts'

const JOB: JobSpec = { completions: 1, parallelism: 1, deadlineMs: null, retries: 0, schedule: null }

test('a service whose secret has another value gets one new revision, as many tasks as it was scaled to, and keeps all else', async () => {
  await using world = await open()
  await world.create('web', { replicas: 2 })
  await world.services.scale('web', 5)
  await world.secrets.rotate('secret', 'password', Buffer.from('two'))
  await world.settle()
  const { record, revision } = await world.now('web')
  assert.deepEqual(revision.parts.versions, { 'secret/password': 2, 'config/conf': 1 })
  assert.deepEqual([record.revision, record.replicas, record.rollout?.state], [2, 5, 'running'])
  assert.match(revision.by, /secret password version 2/)
  await world.settle()
  assert.equal((await world.now('web')).record.revision, 2)
})

test('several values make one revision, a config counts as well, and what mounts nothing of it is left alone', async () => {
  await using world = await open()
  await world.create('web')
  await world.create('other', { secrets: [], configs: [] })
  await world.secrets.rotate('secret', 'password', Buffer.from('two'))
  await world.secrets.rotate('config', 'conf', Buffer.from('two'))
  await world.settle()
  assert.deepEqual((await world.now('web')).revision.parts.versions, { 'secret/password': 2, 'config/conf': 2 })
  assert.deepEqual([(await world.now('web')).record.revision, (await world.now('other')).record.revision], [2, 1])
})

test('a value that comes while nobody looks is found by who looks next, once', async () => {
  await using world = await open()
  await world.create('web')
  await world.stop()
  await world.secrets.rotate('secret', 'password', Buffer.from('two'))
  await world.start()
  await world.settle()
  await world.stop()
  await world.start()
  await world.settle()
  assert.equal((await world.now('web')).record.revision, 2)
})

test('a job and a service that goes are not touched, and what is not known is noted without new tasks', async () => {
  await using world = await open()
  await world.create('job', { mode: 'replicated-job', job: JOB })
  await world.create('gone')
  await world.services.remove('gone')
  await world.create('old', {}, {})
  await world.settle()
  const old = await world.now('old')
  assert.deepEqual([old.record.revision, old.record.rollout], [1, null])
  assert.deepEqual(old.revision.parts.versions, { 'secret/password': 1, 'config/conf': 1 })
  await world.secrets.rotate('secret', 'password', Buffer.from('two'))
  await world.settle()
  const revisions = await Promise.all(['job', 'gone', 'old'].map(async (name) => (await world.now(name)).record.revision))
  assert.deepEqual(revisions, [1, 1, 2])
})

test('a value whose rollout went back is not tried again, and the next one is', async () => {
  await using world = await open()
  await world.create('web')
  await world.secrets.rotate('secret', 'password', Buffer.from('bad'))
  await world.settle()
  await world.services.rollback('web', 'nobody')
  await world.settle()
  assert.equal((await world.now('web')).record.revision, 1)
  // What runs of the old revision, or starts again, has the value of before.
  const { revision } = await world.now('web')
  const files = await world.secrets.files(revision.spec, revision.parts, revision.parts.versions)
  assert.deepEqual(
    files.map(({ content, version }) => [content.toString(), version]),
    [
      ['one', 1],
      ['plain', 1],
    ],
  )
  await world.secrets.rotate('secret', 'password', Buffer.from('three'))
  await world.settle()
  const { record } = await world.now('web')
  assert.deepEqual([record.revision, (await world.now('web')).revision.parts.versions['secret/password']], [3, 3])
})

test('plans lead to what is newest in at most two steps, then to nothing', () => {
  const versions = fc.dictionary(fc.constantFrom('secret/a', 'secret/b', 'config/c'), fc.integer({ min: 1, max: 3 }))
  fc.assert(
    fc.property(versions, versions, fc.integer({ min: 1, max: 4 }), (known, now, replicas) => {
      let revisions: readonly RevisionRecord[] = [revisionOf(1, known)]
      let service = {
        id: 's',
        name: 's',
        stack: null,
        labels: {},
        state: 'active',
        revision: 1,
        replicas,
      } as unknown as ServiceRecord
      let made = 0
      for (let round = 0; round < 3; round += 1) {
        const step = planRotation({ service, revisions, versions: now })
        if (step === null) break
        assert.ok(round < 2, 'it does not settle')
        if (step.type === 'note') revisions = [step.revision]
        else {
          made += 1
          assert.equal(step.wish.spec.replicas, replicas)
          const next = { ...revisionOf(2, {}), ...step.wish, number: 2 } as unknown as RevisionRecord
          revisions = [...revisions, { ...next, templateHash: templateHash(next.spec, next.parts, next.imageId, 0) }]
          service = { ...service, revision: 2 }
        }
      }
      const wanted = revisions.at(-1)?.parts.versions ?? {}
      for (const [key, version] of Object.entries(now)) assert.equal(wanted[key], version)
      const isChanged = Object.entries(now).some(([key, version]) => known[key] !== undefined && known[key] !== version)
      assert.equal(made, isChanged ? 1 : 0)
    }),
    { numRuns: 300 },
  )
})

function mount(secret: string) {
  return { secret, target: `/run/${secret}`, uid: 0, gid: 0, mode: 0o444 }
}

function specOf(name: string, more: Partial<ServiceSpec>): ServiceSpec {
  return {
    ...PLAIN_SERVICE,
    name,
    replicas: 1,
    dependsOn: [],
    restart: { condition: 'always', maxAttempts: 0, delayMs: 0 },
    ports: [],
    containerName: null,
    secrets: [mount('key')],
    configs: [mount('conf')],
    task: { image: 'web:1', mounts: [], networks: [] } as unknown as ServiceSpec['task'],
    ...more,
  }
}

function partsOf(versions: Readonly<Record<string, number>>): RevisionRecord['parts'] {
  const secrets = [{ key: 'key', name: 'password', isExternal: true, labels: {} }]
  return { networks: [], volumes: [], secrets, configs: [], versions, workingDir: '', configFiles: [] }
}

function revisionOf(number: number, versions: Readonly<Record<string, number>>): RevisionRecord {
  const [spec, parts] = [specOf('s', {}), partsOf(versions)]
  return {
    serviceId: 's',
    number,
    spec,
    parts,
    imageId: null,
    templateHash: templateHash(spec, parts, null, 0),
    createdAtMs: 0,
    by: 'ann',
  }
}

async function open() {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-rotation-'))
  const clock = virtualClock()
  const store = memoryStore(clock)
  const random = seededRandom(3)
  const log = silentLog()
  const mirror = openMirror({ store, clock, log, prefixes: SERVICE_PREFIXES })
  const services = openServices({ store, mirror, clock, random, waits: () => [] })
  const secrets = openSecrets({ store, clock, random, key: { type: 'own', path: join(directory, 'key') } })
  const begin = () => startRotation({ store, mirror, services, secrets, clock, log })
  await secrets.create('secret', { name: 'password', labels: {}, value: Buffer.from('one') })
  await secrets.create('config', { name: 'conf', labels: {}, value: Buffer.from('plain') })
  let rotation: AsyncDisposable | undefined = begin()
  const stop = async () => {
    await rotation?.[Symbol.asyncDispose]()
    rotation = undefined
  }
  const settle = async () => {
    for (let round = 0; round < 12; round += 1) await clock.advance(300)
  }
  return {
    services,
    secrets,
    settle,
    stop,
    start: async () => {
      rotation = begin()
      await settle()
    },
    create: async (
      name: string,
      more: Partial<ServiceSpec> = {},
      versions: Readonly<Record<string, number>> = { 'secret/password': 1, 'config/conf': 1 },
    ) => {
      const wish: ServiceWish = {
        name,
        stack: null,
        labels: {},
        spec: specOf(name, more),
        parts: partsOf(versions),
        imageId: 'sha256:image',
        by: 'ann',
      }
      await services.create(wish)
      await settle()
    },
    now: async (name: string) => {
      const record = (await store.range<ServiceRecord>('service/')).entries
        .map(({ value }) => value)
        .find((one) => one.name === name)!
      const revision = (await store.get<RevisionRecord>(keyOf('revision', record.id, record.revision)))!.value
      return { record, revision }
    },
    [Symbol.asyncDispose]: async () => {
      await stop()
      await mirror[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
