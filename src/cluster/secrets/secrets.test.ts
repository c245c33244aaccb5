import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import fc from 'fast-check'

import { GloveboxError, systemRandom, virtualClock } from '#base'
import { keyOf, type RevisionRecord, type ServiceRecord } from '#cluster/model'
import { openSqliteStore, type ClusterStore } from '#cluster/store'

import { decrypt, encrypt, secretKey } from './cipher.ts'
import { parseKeys, type KeyPlace } from './key-ring.ts'
import { MAX_SECRET_BYTES, type SecretKind, type Secrets } from './port.ts'
import { servicesThatUse } from './references.ts'
import { openSecrets } from './secrets.ts'

const MARK = 'hunter2-and-more'
const KINDS: readonly SecretKind[] = ['secret', 'config']
const bytes = (text: string) => Buffer.from(text)
const plain = (name: string, value = MARK, labels = {}) => ({ name, labels, value: bytes(value) })
const mount = (secret: string) => ({ secret, target: `/run/secrets/${secret}`, uid: 0, gid: 0, mode: 0o444 })
const mounts = (secrets: readonly string[], configs: readonly string[] = []) => ({
  secrets: secrets.map(mount),
  configs: configs.map(mount),
})

interface Rig extends AsyncDisposable {
  readonly directory: string
  readonly keyPath: string
  readonly store: ClusterStore
  readonly secrets: Secrets
  /** As after a restart of the daemon. */
  reopen(place?: KeyPlace): Secrets
}

function rig(t: Pick<TestContext, 'after'>): Rig {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-secrets-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const keyPath = join(directory, 'keys', 'secrets.key')
  const clock = virtualClock()
  const store = openSqliteStore({ path: join(directory, 'cluster.db'), clock })
  const reopen = (key: KeyPlace = { type: 'own', path: keyPath }) => openSecrets({ store, clock, random: systemRandom(), key })
  return { directory, keyPath, store, secrets: reopen(), reopen, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

const valueOf = async (secrets: Secrets, ref: string, kind: SecretKind = 'secret') =>
  (await secrets.files(kind === 'secret' ? mounts([ref]) : mounts([], [ref]), null))[0]?.content.toString()

test('a secret and a config are created, found, rotated, labelled and removed alike', async (t) => {
  await using made = rig(t)
  const { secrets } = made
  for (const kind of KINDS) {
    const created = await secrets.create(kind, plain('db.password', 'one', { team: 'a' }))
    assert.equal(created.version, 1)
    assert.match(created.id, /^[0-9a-z]{25}$/)
    for (const ref of [created.id, 'db.password', created.id.slice(0, 12)])
      assert.deepEqual(await secrets.inspect(kind, ref), created)
    await assert.rejects(secrets.create(kind, plain('db.password')), { code: 'secret.name_in_use' })
    const rotated = await secrets.rotate(kind, 'db.password', bytes('two'))
    assert.deepEqual([rotated.version, rotated.id, rotated.labels], [2, created.id, { team: 'a' }])
    assert.notEqual(rotated.fingerprint, created.fingerprint)
    assert.equal(await valueOf(secrets, 'db.password', kind), 'two')
    const labelled = await secrets.setLabels(kind, created.id, { team: 'b' }, rotated.revision)
    assert.deepEqual([labelled.version, labelled.labels], [2, { team: 'b' }])
    await assert.rejects(secrets.setLabels(kind, created.id, {}, rotated.revision), { code: 'secret.changed' })
    assert.equal(await valueOf(made.reopen(), created.id, kind), 'two')
    assert.deepEqual(
      (await secrets.list(kind)).map(({ name }) => name),
      ['db.password'],
    )
    await secrets.remove(kind, 'db.password')
    assert.deepEqual(await secrets.list(kind), [])
    await assert.rejects(secrets.inspect(kind, 'db.password'), { code: 'secret.not_found' })
    await assert.rejects(secrets.files(mounts(['gone'], ['gone']), null), { code: 'secret.not_found' })
    assert.equal((await secrets.create(kind, plain('db.password'))).version, 1)
  }
})

test('saying the same again changes nothing, another value is another version, and other labels are not', async (t) => {
  await using made = rig(t)
  for (const kind of KINDS) {
    const put = async (value: string, labels = {}) => await made.secrets.put(kind, plain('key', value, labels))
    const [first, second] = await Promise.all([put('one'), put('one')])
    assert.deepEqual(first, second)
    assert.equal((await put('one', { a: 'b' })).version, 1)
    const changed = await put('two', { a: 'b' })
    assert.deepEqual([changed.version, changed.labels, changed.id], [2, { a: 'b' }, first.id])
    assert.equal((await put('two', { a: 'b' })).revision, changed.revision)
  }
})

test('a value is in no file, answer or error, but a config’s is in its own', async (t) => {
  await using made = rig(t)
  const { secrets } = made
  await secrets.create('secret', plain('key'))
  await secrets.rotate('secret', 'key', bytes(`${MARK}!`))
  await secrets.rotateKey()
  const forms = [MARK, bytes(MARK).toString('base64').slice(0, 20), bytes(MARK).toString('hex')]
  const files = readdirSync(made.directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  assert.ok(files.length >= 3)
  for (const { parentPath, name } of files)
    for (const form of forms) assert.equal(readFileSync(join(parentPath, name)).includes(form), false, name)
  const answers = [await secrets.list('secret'), await secrets.inspect('secret', 'key')]
  for (const form of forms) assert.equal(JSON.stringify(answers).includes(form), false)
  const large = bytes(MARK.repeat(40_000))
  const failures = await Promise.allSettled([
    secrets.create('secret', { ...plain('key') }),
    secrets.create('secret', { ...plain('large'), value: large }),
    secrets.create('secret', { ...plain('no name!') }),
    secrets.rotate('secret', 'absent', bytes(MARK)),
  ])
  for (const failure of failures) {
    assert.ok(failure.status === 'rejected' && failure.reason instanceof GloveboxError)
    assert.equal(JSON.stringify([failure.reason.message, failure.reason.hint, failure.reason.details]).includes(MARK), false)
  }
  await secrets.create('config', plain('open'))
  assert.equal((await secrets.configValue('open')).toString(), MARK)
})

test('names, labels and sizes are bounded as swarm bounds them', async (t) => {
  await using made = rig(t)
  const { secrets } = made
  for (const name of ['', 'a b', '-a', 'a-', 'ü', 'a'.repeat(65), '../up', 'a/b'])
    await assert.rejects(secrets.create('secret', plain(name)), { code: 'secret.name_invalid' })
  for (const length of [0, MAX_SECRET_BYTES + 1])
    await assert.rejects(secrets.create('config', { ...plain('a'), value: Buffer.alloc(length) }), { code: 'secret.too_large' })
  await assert.rejects(secrets.create('config', plain('a', 'x', { a: 'x'.repeat(70_000) })), { code: 'secret.labels_too_large' })
  await secrets.create('secret', { ...plain('a'.repeat(64)), value: Buffer.alloc(MAX_SECRET_BYTES, 7) })
  assert.equal((await valueOf(secrets, 'a'.repeat(64)))?.length, MAX_SECRET_BYTES)
})

test('the key is root’s alone, made once, and missed when it is gone', async (t) => {
  await using made = rig(t)
  await made.secrets.create('config', plain('open'))
  assert.equal(existsSync(made.keyPath), false)
  await Promise.all(['a', 'b', 'c'].map(async (name) => made.secrets.create('secret', plain(name))))
  assert.equal(statSync(made.keyPath).mode & 0o777, 0o600)
  assert.equal(await valueOf(made.reopen(), 'b'), MARK)
  chmodSync(made.keyPath, 0o640)
  await assert.rejects(valueOf(made.reopen(), 'b'), { code: 'secret.key_exposed' })
  chmodSync(made.keyPath, 0o600)
  const kept = readFileSync(made.keyPath)
  writeFileSync(made.keyPath, `${'ab'.repeat(32)}\n`)
  await assert.rejects(valueOf(made.reopen(), 'b'), { code: 'secret.undecipherable' })
  rmSync(made.keyPath)
  const without = made.reopen()
  await assert.rejects(without.create('secret', plain('d')), { code: 'secret.key_missing' })
  // What needs no key goes on.
  assert.equal((await without.list('secret')).length, 3)
  await without.remove('secret', 'a')
  writeFileSync(made.keyPath, kept, { mode: 0o600 })
  assert.equal(await valueOf(without, 'b'), MARK)
})

test('a new key takes the place of the old one, however often the change of keys is cut short', async (t) => {
  await using made = rig(t)
  for (const name of ['a', 'b', 'c']) await made.secrets.create('secret', plain(name, `value of ${name}`))
  const old = readFileSync(made.keyPath, 'utf8')
  const before = await made.secrets.list('secret')
  let left = 2
  const failing: ClusterStore = {
    ...made.store,
    write: async (transaction) => {
      left -= 1
      if (left === 0) throw new Error('planned')
      return await made.store.write(transaction)
    },
  }
  const cut = openSecrets({
    store: failing,
    clock: virtualClock(),
    random: systemRandom(),
    key: { type: 'own', path: made.keyPath },
  })
  await assert.rejects(cut.rotateKey(), /planned/)
  for (const secrets of [cut, made.reopen()])
    for (const name of ['a', 'b', 'c']) assert.equal(await valueOf(secrets, name), `value of ${name}`)
  const after = made.reopen()
  assert.deepEqual(await after.rotateKey(), { secrets: 3 })
  assert.equal(readFileSync(made.keyPath, 'utf8').includes(old.trim()), false)
  assert.equal(readFileSync(made.keyPath, 'utf8').trim().split('\n').length, 1)
  for (const name of ['a', 'b', 'c']) assert.equal(await valueOf(made.reopen(), name), `value of ${name}`)
  assert.deepEqual(
    (await after.list('secret')).map(({ id, version, updatedAtMs }) => ({ id, version, updatedAtMs })),
    before.map(({ id, version, updatedAtMs }) => ({ id, version, updatedAtMs })),
  )
})

test('an operator’s key is read and never written, and a new one counts once the key is rotated', async (t) => {
  await using made = rig(t)
  const path = join(made.directory, 'operator.key')
  const [first, second] = ['11'.repeat(32), '22'.repeat(32)]
  const open = () => made.reopen({ type: 'given', path })
  await assert.rejects(open().create('secret', plain('a')), { code: 'secret.key_missing' })
  writeFileSync(path, Buffer.from(first, 'hex'), { mode: 0o600 })
  const secrets = open()
  await secrets.create('secret', plain('a'))
  await assert.rejects(secrets.rotateKey(), { code: 'secret.key_unchanged' })
  // In place of the old one: we still know that.
  writeFileSync(path, `${second}\n`)
  assert.deepEqual(await secrets.rotateKey(), { secrets: 1 })
  assert.equal(await valueOf(open(), 'a'), MARK)
  // Above the old one: also after a restart.
  writeFileSync(path, `${first}\n${second}\n`)
  assert.deepEqual(await open().rotateKey(), { secrets: 1 })
  writeFileSync(path, `${first}\n`)
  assert.equal(await valueOf(open(), 'a'), MARK)
  assert.equal(readFileSync(path, 'utf8'), `${first}\n`)
})

function service(id: string, change: Partial<ServiceRecord> = {}): ServiceRecord {
  const record = {
    id,
    name: `svc-${id}`,
    stack: null,
    labels: {},
    revision: 2,
    previousRevision: 1,
    replicas: 1,
    state: 'active',
  }
  return { ...record, rollout: null, createdAtMs: 0, updatedAtMs: 0, ...change } as ServiceRecord
}

function revision(serviceId: string, number: number, secrets: readonly string[], parts = {}): RevisionRecord {
  const spec = { secrets: secrets.map(mount), configs: [] }
  return { serviceId, number, spec, parts: { secrets: [], configs: [], ...parts } } as unknown as RevisionRecord
}

test('one that a service mounts is not removed, and the services are named', async (t) => {
  await using made = rig(t)
  const { id } = await made.secrets.create('secret', plain('shop_key'))
  const keyed = { secrets: [{ key: 'key', name: 'shop_key', isExternal: false, labels: {} }] }
  const puts = [
    { key: keyOf('service', 'one'), value: service('one') },
    { key: keyOf('revision', 'one', 1), value: revision('one', 1, []) },
    { key: keyOf('revision', 'one', 2), value: revision('one', 2, ['key'], keyed) },
    { key: keyOf('service', 'two'), value: service('two') },
    { key: keyOf('revision', 'two', 2), value: revision('two', 2, [id]) },
    { key: keyOf('service', 'past'), value: service('past') },
    { key: keyOf('revision', 'past', 1), value: revision('past', 1, ['shop_key']) },
    { key: keyOf('revision', 'past', 2), value: revision('past', 2, []) },
  ]
  await made.store.write({ puts })
  assert.deepEqual(await made.secrets.usersOf('secret', 'shop_key'), ['svc-one', 'svc-two'])
  await assert.rejects(made.secrets.remove('secret', 'shop_key'), {
    code: 'secret.in_use',
    message: 'secret shop_key is in use by the services svc-one, svc-two',
  })
  await made.store.write({ deletes: [keyOf('service', 'one'), keyOf('service', 'two')] })
  await made.secrets.remove('secret', 'shop_key')
})

test('a rollout under way keeps what both of its ends mount, and no other revision does', () => {
  const numbers = fc.integer({ min: 1, max: 4 })
  const state = fc.constantFrom('running', 'paused', 'completed', 'failed', 'rolling-back', 'rolled-back', 'aborted')
  fc.assert(
    fc.property(numbers, numbers, numbers, state, fc.subarray([1, 2, 3, 4]), (wanted, from, to, rollout, using) => {
      const record = service('s', { revision: wanted, rollout: { from, to, state: rollout } as ServiceRecord['rollout'] })
      const revisions = [1, 2, 3, 4].map((number) => revision('s', number, using.includes(number) ? ['key'] : []))
      const isOver = ['completed', 'rolled-back', 'aborted'].includes(rollout)
      const live = isOver ? [wanted] : [wanted, from, to]
      const users = servicesThatUse('secret', { id: 'i', name: 'key' }, [record], revisions)
      assert.deepEqual(users, live.some((number) => using.includes(number)) ? ['svc-s'] : [])
      assert.deepEqual(servicesThatUse('config', { id: 'i', name: 'key' }, [record], revisions), [])
    }),
  )
})

test('what tasks get is of the newest version, with the keys of the stack as names', async (t) => {
  await using made = rig(t)
  await made.secrets.create('secret', plain('shop_key', 'one'))
  await made.secrets.create('config', plain('shop_conf', 'port'))
  const keyed = (key: string, name: string) => [{ key, name, isExternal: false, labels: {} }]
  const stack = { secrets: keyed('key', 'shop_key'), configs: keyed('conf', 'shop_conf') }
  const wanted = mounts(['key'], ['conf'])
  assert.deepEqual(await made.secrets.versions(wanted, stack), { 'secret/shop_key': 1, 'config/shop_conf': 1 })
  await made.secrets.rotate('secret', 'shop_key', bytes('two'))
  assert.deepEqual(await made.secrets.versions(wanted, stack), { 'secret/shop_key': 2, 'config/shop_conf': 1 })
  assert.deepEqual(
    (await made.secrets.files(wanted, stack)).map(({ target, mode, content }) => [target, mode, content.toString()]),
    [
      ['/run/secrets/key', 0o444, 'two'],
      ['/run/secrets/conf', 0o444, 'port'],
    ],
  )
  assert.deepEqual(await made.secrets.versions(mounts(['absent']), null), {})
})

test(
  'whatever is put, rotated and re-encrypted in whatever order, the last value is what tasks get',
  { timeout: 60_000 },
  async (t) => {
    const step = fc.oneof(
      fc.record({ do: fc.constantFrom('put', 'rotate'), name: fc.constantFrom('a', 'b'), value: fc.string({ minLength: 1 }) }),
      fc.record({ do: fc.constantFrom('rotateKey', 'reopen'), name: fc.constant(''), value: fc.constant('') }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await using made = rig(t)
        let { secrets } = made
        const model = new Map<string, string>()
        for (const { do: what, name, value } of steps) {
          if (what === 'rotateKey') await secrets.rotateKey()
          if (what === 'reopen') secrets = made.reopen()
          if (what === 'put') await secrets.put('secret', plain(name, value))
          if (what === 'rotate' && model.has(name)) await secrets.rotate('secret', name, bytes(value))
          if (what === 'put' || (what === 'rotate' && model.has(name))) model.set(name, value)
        }
        for (const [name, value] of model) assert.equal(await valueOf(made.reopen(), name), bytes(value).toString())
      }),
      { numRuns: 15 },
    )
  },
)

test('a payload opens with its key and in its place only, and not when a single bit differs', () => {
  const material = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(material, material, fc.uint8Array({ maxLength: 64 }), fc.nat(), fc.string(), (one, other, value, at, place) => {
      const key = secretKey(one)
      const payload = encrypt(key, value, place, systemRandom())
      assert.deepEqual(decrypt([secretKey(other), key], payload, place), Buffer.from(value))
      assert.equal(decrypt([key], payload, `${place}x`), undefined)
      const bent = Buffer.from(payload)
      bent[at % bent.length] = (bent[at % bent.length] ?? 0) ^ (1 << (at % 8))
      assert.equal(decrypt([key], bent, place), undefined)
      assert.equal(decrypt([key], payload.subarray(0, at % payload.length), place), undefined)
    }),
  )
})

test('safety: what is no file of keys is refused without showing what is in it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.string().map(bytes)), (content) => {
      try {
        const keys = parseKeys(Buffer.from(content), 'the/file')
        assert.ok(keys.length > 0 && keys.every(({ length }) => length === 32))
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code === 'secret.key_invalid', String(error))
        assert.match(
          error.message,
          /^the\/file(, line \d+: a key is 64 hexadecimal digits| holds \d+ keys: it must hold 1 to 64)$/,
        )
      }
    }),
  )
})

test('the value before is given to who asks for its version, sealed with the newest key as well, and shown to nobody', async (t) => {
  await using made = rig(t)
  const { secrets } = made
  for (const kind of KINDS) await secrets.create(kind, plain('key', `${MARK} 1`))
  for (const value of ['2', '3']) for (const kind of KINDS) await secrets.rotate(kind, 'key', bytes(`${MARK} ${value}`))
  const given = async (from: Secrets, version: number) =>
    (await from.files(mounts(['key'], ['key']), null, { 'secret/key': version, 'config/key': version })).map(
      ({ content, version: of }) => `${of}: ${content.toString()}`,
    )
  for (const round of ['as it was sealed', 'with a new key', 'after a restart']) {
    if (round === 'with a new key') assert.deepEqual(await secrets.rotateKey(), { secrets: 1 })
    const from = round === 'after a restart' ? made.reopen() : secrets
    assert.deepEqual(await given(from, 3), [`3: ${MARK} 3`, `3: ${MARK} 3`], round)
    assert.deepEqual(await given(from, 2), [`2: ${MARK} 2`, `2: ${MARK} 2`], round)
    // What is gone is gone: the newest is better than nothing.
    assert.deepEqual(await given(from, 1), [`3: ${MARK} 3`, `3: ${MARK} 3`], round)
  }
  const stored = JSON.stringify(await made.store.get(keyOf('secret', (await secrets.inspect('secret', 'key')).id)))
  for (const part of [MARK, bytes(`${MARK} 2`).toString('base64')]) assert.equal(stored.includes(part), false)
  assert.equal('previous' in (await secrets.inspect('secret', 'key')), false)
})
