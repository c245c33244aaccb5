import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { Digest } from '#base'

import { matchesName } from './kept.ts'
import { planCollection, RECENT_MS } from './plan.ts'
import { DEFAULT_POLICY, shareBytes } from './policy.ts'
import type { CollectableCache, CollectableImage, CollectionPolicy, CollectionView, Removal } from './port.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const GIB = 1024 ** 3
const NOW_MS = 1_700_000_000_000

const digest = (n: number) => `sha256:${n.toString(16).padStart(64, '0')}` as Digest
const roomy = { totalBytes: 100 * GIB, availableBytes: 90 * GIB }

function image(n: number, changes: Partial<CollectableImage> & { idleMs?: number } = {}): CollectableImage {
  const { idleMs = 0, ...rest } = changes
  return {
    id: digest(n),
    names: [`app${n}:latest`],
    repositories: [`app${n}`],
    isReplaceable: true,
    parent: null,
    layers: [{ diffId: digest(1000 + n), sizeBytes: GIB }],
    createdMs: NOW_MS - 30 * DAY_MS,
    lastUsedMs: NOW_MS - idleMs,
    users: [],
    ...rest,
  }
}

function view(images: readonly CollectableImage[], changes: Partial<CollectionView> = {}): CollectionView {
  return { nowMs: NOW_MS, disk: roomy, isDiskFull: false, images, caches: [], ...changes }
}

const gone = (wanted: CollectionView, policy: CollectionPolicy = DEFAULT_POLICY) =>
  planCollection(wanted, policy).removals.map(({ id }) => Number.parseInt(id.slice(7), 16))

test('an image goes when nobody used it for a week, an untagged one after a day', () => {
  const untagged = { names: [], repositories: [] }
  const images = [
    image(1, { idleMs: 6 * DAY_MS }),
    image(2, { idleMs: 7 * DAY_MS }),
    image(3, { idleMs: 23 * HOUR_MS, ...untagged }),
    image(4, { idleMs: 25 * HOUR_MS, ...untagged }),
  ]
  const plan = planCollection(view(images), DEFAULT_POLICY)
  assert.deepEqual(
    plan.removals.map(({ id, reason }) => [id, reason.kind]),
    [
      [digest(2), 'unused'],
      [digest(4), 'untagged'],
    ],
  )
  assert.equal(plan.freedBytes, 2 * GIB)
  assert.deepEqual(
    plan.kept.map(({ why }) => why),
    ['not due yet', 'not due yet'],
  )
})

test('what a container, a stack or a build refers to stays, and so does what it stands on', () => {
  const images = [
    image(1, { idleMs: 90 * DAY_MS, users: ['container web'] }),
    image(2, { idleMs: 90 * DAY_MS, parent: null }),
    image(3, { idleMs: 90 * DAY_MS, parent: digest(2), users: ['stack guestbook'] }),
  ]
  const plan = planCollection(view(images, { isDiskFull: true }), DEFAULT_POLICY)
  assert.deepEqual(plan.removals, [])
  assert.deepEqual(
    plan.kept.map(({ why }) => why),
    ['used by container web', 'the image 000000000000 stands on it', 'used by stack guestbook'],
  )
})

test('the newest image of a repository stays if no registry can give it back', () => {
  const local = { isReplaceable: false, repositories: ['shop'], idleMs: 90 * DAY_MS }
  const images = [
    image(1, { ...local, createdMs: 1 }),
    image(2, { ...local, createdMs: 2 }),
    image(3, { ...local, createdMs: 3, isReplaceable: true }),
  ]
  assert.deepEqual(gone(view(images)), [1, 3])
  assert.deepEqual(gone(view(images), { ...DEFAULT_POLICY, keepNewest: 0 }), [1, 2, 3])
  assert.deepEqual(gone(view(images), { ...DEFAULT_POLICY, keepNewest: 2 }), [3])
})

test('a little free disk takes the longest unused until the target is free, and no more', () => {
  const images = [1, 2, 3, 4].map((n) => image(n, { idleMs: (5 - n) * DAY_MS }))
  const policy = { ...DEFAULT_POLICY, minFree: { percent: 10, bytes: null }, targetFree: { percent: 12, bytes: null } }
  const disk = { totalBytes: 100 * GIB, availableBytes: 9.5 * GIB }
  assert.deepEqual(gone(view(images, { disk }), policy), [1, 2, 3])
  assert.deepEqual(gone(view(images, { disk: { ...disk, availableBytes: 10 * GIB } }), policy), [])
  assert.deepEqual(gone(view(images, { disk: { ...disk, availableBytes: 10 * GIB }, isDiskFull: true }), policy), [1, 2])
})

test('an image whose layers others need is not taken for the sake of the disk', () => {
  const shared = [{ diffId: digest(9000), sizeBytes: GIB }]
  const images = [
    image(1, { idleMs: 3 * DAY_MS, layers: shared }),
    image(2, { idleMs: 2 * DAY_MS }),
    image(3, { layers: shared, users: ['container web'] }),
  ]
  assert.deepEqual(gone(view(images, { disk: { totalBytes: 100 * GIB, availableBytes: 0 } })), [2])
})

test('results of build steps go by their own age, and never under a build', () => {
  const cache = (key: string, idleMs: number, isInUse = false): CollectableCache => ({
    key,
    description: 'RUN make',
    layer: { diffId: digest(Number(key)), sizeBytes: GIB },
    lastUsedMs: NOW_MS - idleMs,
    isInUse,
  })
  const caches = [cache('1', DAY_MS), cache('2', 8 * DAY_MS), cache('3', 8 * DAY_MS, true)]
  const plan = planCollection(view([], { caches }), DEFAULT_POLICY)
  assert.deepEqual(
    plan.removals.map(({ kind, id }) => [kind, id]),
    [['cache', '2']],
  )
})

test('a pattern protects names', () => {
  assert.equal(matchesName('debian:*', 'debian:bookworm'), true)
  assert.equal(matchesName('debian:*', 'registry/debian:bookworm'), false)
  assert.equal(matchesName('*/base*:v1', 'my.host/base-image:v1'), true)
  assert.equal(matchesName('a*a', 'a'), false)
  assert.equal(matchesName('debian', 'debian:latest'), false)
  const images = [image(1, { idleMs: 90 * DAY_MS, names: ['debian:bookworm'] })]
  assert.deepEqual(gone(view(images), { ...DEFAULT_POLICY, protectedNames: ['debian:*'] }), [])
})

// ---- for any machine ----

const layerOf = (n: number) => ({ diffId: digest(5000 + n), sizeBytes: (n + 1) * 10 * 1024 ** 2 })
const someLayers = fc.uniqueArray(fc.nat(12), { maxLength: 4 }).map((numbers) => numbers.map(layerOf))
const someImage = fc.record({
  names: fc.uniqueArray(fc.constantFrom('a:1', 'a:2', 'b:1', 'c:1'), { maxLength: 2 }),
  isReplaceable: fc.boolean(),
  parent: fc.option(fc.nat(30), { nil: null }),
  layers: someLayers,
  createdMs: fc.nat(1000),
  idleMs: fc.integer({ min: -DAY_MS, max: 20 * DAY_MS }),
  users: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['container x']) }),
})
const someCache = fc.record({
  layer: fc.option(fc.nat(12).map(layerOf), { nil: null }),
  idleMs: fc.integer({ min: 0, max: 20 * DAY_MS }),
  isInUse: fc.boolean(),
})
const someView = fc
  .record({
    images: fc.array(someImage, { maxLength: 12 }),
    caches: fc.array(someCache, { maxLength: 6 }),
    availableBytes: fc.nat(1000).map((mib) => mib * 1024 ** 2),
    isDiskFull: fc.boolean(),
  })
  .map(({ images, caches, availableBytes, isDiskFull }): CollectionView => {
    return {
      nowMs: NOW_MS,
      disk: { totalBytes: 1000 * 1024 ** 2, availableBytes },
      isDiskFull,
      // A parent is older than its child: the order of the list.
      images: images.map(({ idleMs, parent, ...rest }, n) => ({
        ...rest,
        id: digest(n),
        parent: parent === null || parent >= n ? null : digest(parent),
        repositories: rest.names.map((name) => name.slice(0, 1)),
        lastUsedMs: NOW_MS - idleMs,
      })),
      caches: caches.map(({ idleMs, ...rest }, n) => ({
        ...rest,
        key: `k${n}`,
        description: 'RUN',
        lastUsedMs: NOW_MS - idleMs,
      })),
    }
  })
const someAge = fc.option(fc.integer({ min: 0, max: 15 * DAY_MS }), { nil: null })
const somePolicy = fc
  .record({
    unusedMs: someAge,
    untaggedMs: someAge,
    cacheMs: someAge,
    min: fc.nat(50),
    more: fc.nat(50),
    keepNewest: fc.nat(2),
    protectedNames: fc.uniqueArray(fc.constantFrom('a:*', 'b:1', '*:2'), { maxLength: 2 }),
  })
  .map(({ min, more, ...rest }): CollectionPolicy => {
    return { isOn: true, ...rest, minFree: { percent: min, bytes: null }, targetFree: { percent: min + more, bytes: null } }
  })

/** What is left when the removals were carried out. */
function after(before: CollectionView, removals: readonly Removal[]): CollectionView {
  const ids = new Set(removals.map(({ id }) => id))
  const images = before.images.filter(({ id }) => !ids.has(id))
  const caches = before.caches.filter(({ key }) => !ids.has(key))
  const left = { ...before, images, caches }
  const availableBytes = before.disk.availableBytes + usedBytes(before) - usedBytes(left)
  return { ...left, disk: { ...before.disk, availableBytes } }
}

function usedBytes({ images, caches }: CollectionView): number {
  const layers = [...images.flatMap((one) => one.layers), ...caches.flatMap(({ layer }) => layer ?? [])]
  return [...new Map(layers.map(({ diffId, sizeBytes }) => [diffId, sizeBytes])).values()].reduce((sum, bytes) => sum + bytes, 0)
}

test('safety: nothing in use, protected or stood upon is ever removed', () => {
  fc.assert(
    fc.property(someView, somePolicy, (before, policy) => {
      const { removals } = planCollection(before, policy)
      const ids = new Set(removals.map(({ id }) => id))
      for (const { id, users, names } of before.images.filter((one) => ids.has(one.id))) {
        assert.deepEqual(users, [])
        assert.ok(!names.some((name) => policy.protectedNames.some((pattern) => matchesName(pattern, name))))
        assert.ok(before.images.every((other) => other.parent !== id || ids.has(other.id)))
      }
      for (const { key, isInUse } of before.caches) assert.ok(!isInUse || !ids.has(key))
    }),
    { numRuns: 1000 },
  )
})

test('safety: at every step nothing stands on what is removed', () => {
  fc.assert(
    fc.property(someView, somePolicy, (before, policy) => {
      const left = new Map(before.images.map((one) => [one.id as string, one]))
      for (const { id } of planCollection(before, policy).removals) {
        left.delete(id)
        assert.ok([...left.values()].every((other) => other.parent !== id))
      }
    }),
  )
})

test('safety: a reason holds, and what was used within the hour goes for its age alone', () => {
  fc.assert(
    fc.property(someView, somePolicy, (before, policy) => {
      for (const { reason } of planCollection(before, policy).removals)
        assert.ok(reason.kind === 'disk' ? reason.idleMs >= RECENT_MS : reason.idleMs >= reason.limitMs)
    }),
  )
})

test('the bytes that a plan promises are those that are freed', () => {
  fc.assert(
    fc.property(someView, somePolicy, (before, policy) => {
      const { removals, freedBytes } = planCollection(before, policy)
      assert.equal(freedBytes, usedBytes(before) - usedBytes(after(before, removals)))
    }),
  )
})

test('liveness: enough is free afterwards, or nothing that may go would free more', () => {
  fc.assert(
    fc.property(someView, somePolicy, (before, policy) => {
      const { removals } = planCollection(before, policy)
      const left = after(before, removals)
      if (left.disk.availableBytes >= shareBytes(policy.minFree, left.disk) && !before.isDiskFull) return
      if (left.disk.availableBytes >= shareBytes(policy.targetFree, left.disk)) return
      const everything = planCollection({ ...left, disk: { ...left.disk, availableBytes: 0 }, isDiskFull: true }, policy)
      assert.equal(everything.freedBytes, 0)
    }),
    { numRuns: 1000 },
  )
})

test('a second plan over what the first one left is empty', () => {
  fc.assert(
    fc.property(someView, somePolicy, (before, policy) => {
      const left = after(before, planCollection(before, policy).removals)
      assert.deepEqual(planCollection(left, policy).removals, [])
    }),
    { numRuns: 1000 },
  )
})
