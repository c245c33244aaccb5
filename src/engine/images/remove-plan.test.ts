import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { Digest } from '#base'
import { digestOf } from '#oci/digest'

import { planPrune, planRemove, planSweep, type RemoveStep, type RemoveView } from './remove-plan.ts'
import type { Resolved } from './resolve.ts'

const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')]
const SHA = digestOf('manifest')
const plain = { force: false, noPrune: false }

function view(options: {
  names?: Readonly<Record<string, Digest>>
  parents?: readonly (readonly [Digest, Digest])[]
  running?: readonly Digest[]
  stopped?: readonly Digest[]
}): RemoveView {
  const parents = new Map(options.parents ?? [])
  return {
    images: new Map([a, b, c].map((id) => [id, { parent: parents.get(id) ?? null, isDetached: false }])),
    names: new Map(Object.entries(options.names ?? {}).map(([name, id]) => [`docker.io/library/${name}`, id])),
    usersOf: (id) => [
      ...(options.running?.includes(id) === true ? [{ name: 'up', isRunning: true }] : []),
      ...(options.stopped?.includes(id) === true ? [{ name: 'down', isRunning: false }] : []),
    ],
  }
}
const named = (id: Digest, name: string): Resolved => ({ id, by: 'name', name: `docker.io/library/${name}` })
const byId = (id: Digest): Resolved => ({ id, by: 'id' })
const words = (steps: readonly RemoveStep[]) =>
  steps.map((step) =>
    step.type === 'untag'
      ? `untag ${step.name.replace('docker.io/library/', '')}`
      : `${step.type} ${'abc'[[a, b, c].indexOf(step.id)]}`,
  )

test('one of two names goes alone, the last one takes the image along', () => {
  const two = view({ names: { 'x:1': a, 'y:1': a } })
  assert.deepEqual(words(planRemove(two, named(a, 'x:1'), 'x:1', plain)), ['untag x:1'])
  assert.deepEqual(words(planRemove(view({ names: { 'x:1': a } }), named(a, 'x:1'), 'x:1', plain)), ['untag x:1', 'delete a'])
})

test('the digests of a repository go with its last tag', () => {
  const digests = view({ names: { 'x:1': a, [`x@${SHA}`]: a } })
  assert.deepEqual(words(planRemove(digests, named(a, 'x:1'), 'x:1', plain)), ['untag x:1', `untag x@${SHA}`, 'delete a'])
  const other = view({ names: { 'x:1': a, 'x:2': a, [`x@${SHA}`]: a } })
  assert.deepEqual(words(planRemove(other, named(a, 'x:1'), 'x:1', plain)), ['untag x:1'])
})

test('by id all names go when there is one repository, else force is needed', () => {
  const one = view({ names: { 'x:1': a, [`x@${SHA}`]: a } })
  assert.deepEqual(words(planRemove(one, byId(a), 'x', plain)), ['untag x:1', `untag x@${SHA}`, 'delete a'])
  const many = view({ names: { 'x:1': a, 'y:1': a } })
  assert.throws(() => planRemove(many, byId(a), 'x', plain), {
    code: 'image.conflict',
    message: `conflict: unable to delete ${a.slice(7, 19)} (must be forced) - image is referenced in multiple repositories`,
  })
  assert.deepEqual(words(planRemove(many, byId(a), 'x', { ...plain, force: true })), ['untag x:1', 'untag y:1', 'delete a'])
})

test('the last name of an image with a container needs force, and then only the name goes', () => {
  for (const use of ['running', 'stopped'] as const) {
    const used = view({ names: { 'x:1': a }, [use]: [a] })
    assert.throws(() => planRemove(used, named(a, 'x:1'), 'x:1', plain), {
      code: 'image.in_use',
      message: `conflict: unable to remove repository reference "x:1" (must force) - container ${use === 'running' ? 'up' : 'down'} is using its referenced image ${a.slice(7, 19)}`,
    })
  }
  assert.deepEqual(
    words(planRemove(view({ names: { 'x:1': a }, running: [a] }), named(a, 'x:1'), 'x:1', { ...plain, force: true })),
    ['untag x:1'],
  )
  const two = view({ names: { 'x:1': a, 'y:1': a }, running: [a] })
  assert.deepEqual(words(planRemove(two, named(a, 'x:1'), 'x:1', plain)), ['untag x:1'])
})

test('by id a running container cannot be overruled, a stopped one can', () => {
  const force = { ...plain, force: true }
  assert.throws(() => planRemove(view({ running: [a] }), byId(a), 'x', force), {
    message: `conflict: unable to delete ${a.slice(7, 19)} (cannot be forced) - image is being used by running container up`,
  })
  assert.throws(() => planRemove(view({ stopped: [a] }), byId(a), 'x', plain), {
    message: `conflict: unable to delete ${a.slice(7, 19)} (must be forced) - image is being used by stopped container down`,
  })
  assert.deepEqual(words(planRemove(view({ stopped: [a] }), byId(a), 'x', force)), ['detach a'])
})

test('an image with children cannot go, and takes its nameless parents along when it does', () => {
  const family = {
    parents: [
      [c, b],
      [b, a],
    ] as const,
    names: { 'c:1': c },
  }
  assert.throws(() => planRemove(view(family), byId(b), 'x', { ...plain, force: true }), {
    code: 'image.conflict',
    message: `conflict: unable to delete ${b.slice(7, 19)} (cannot be forced) - image has dependent child images`,
  })
  assert.deepEqual(words(planRemove(view(family), named(c, 'c:1'), 'c:1', plain)), [
    'untag c:1',
    'delete c',
    'delete b',
    'delete a',
  ])
  assert.deepEqual(words(planRemove(view(family), named(c, 'c:1'), 'c:1', { ...plain, noPrune: true })), [
    'untag c:1',
    'delete c',
  ])
  const namedParent = view({ ...family, names: { 'c:1': c, 'b:1': b } })
  assert.deepEqual(words(planRemove(namedParent, named(c, 'c:1'), 'c:1', plain)), ['untag c:1', 'delete c'])
})

test('prune takes what nobody needs', () => {
  const some = { names: { 'x:1': a, 'y:1': b, 'z:1': b }, stopped: [a] }
  assert.deepEqual(words(planPrune(view(some), { danglingOnly: true })), ['delete c'])
  assert.deepEqual(words(planPrune(view(some), { danglingOnly: false })), ['untag y:1', 'untag z:1', 'delete b', 'delete c'])
  assert.deepEqual(words(planPrune(view(some), { danglingOnly: false, keep: (id) => id === b })), ['delete c'])
})

test('sweep takes detached images whose containers are gone', () => {
  const images = new Map([
    [a, { parent: null, isDetached: true }],
    [b, { parent: null, isDetached: true }],
    [c, { parent: null, isDetached: false }],
  ])
  const usersOf = (id: Digest) => (id === a ? [{ name: 'down', isRunning: false }] : [])
  assert.deepEqual(words(planSweep({ images, names: new Map(), usersOf })), ['delete b'])
})

const ids = Array.from({ length: 6 }, (_, index) => digestOf(String(index)))
const anyView: fc.Arbitrary<RemoveView> = fc
  .record({
    names: fc.array(fc.tuple(fc.constantFrom('x:1', 'x:2', 'y:1', 'z:1', `x@${SHA}`), fc.nat(5)), { maxLength: 6 }),
    // A parent is always older: no cycles.
    parents: fc.array(fc.option(fc.nat(5)), { minLength: 6, maxLength: 6 }),
    users: fc.array(fc.constantFrom('none', 'none', 'running', 'stopped'), { minLength: 6, maxLength: 6 }),
  })
  .map(({ names, parents, users }) => ({
    images: new Map(
      ids.map((id, index) => {
        const parent = parents[index] ?? null
        return [id, { parent: parent !== null && parent < index ? (ids[parent] ?? null) : null, isDetached: false }] as const
      }),
    ),
    names: new Map(names.map(([name, index]) => [`docker.io/library/${name}`, ids[index] as Digest])),
    usersOf: (id) => {
      const use = users[ids.indexOf(id)]
      return use === 'running' || use === 'stopped' ? [{ name: use, isRunning: use === 'running' }] : []
    },
  }))

function checkSafe(before: RemoveView, steps: readonly RemoveStep[], isForced: boolean): void {
  const names = new Map(before.names)
  const left = new Map(before.images)
  for (const step of steps) {
    if (step.type === 'untag') {
      assert.equal(names.get(step.name), step.id, 'a name is taken away once, from its own image')
      names.delete(step.name)
      continue
    }
    assert.ok(left.delete(step.id), 'an image goes once')
    const users = before.usersOf(step.id)
    assert.ok(!users.some((user) => user.isRunning), 'no image of a running container goes')
    assert.equal(step.type, users.length > 0 ? 'detach' : 'delete')
    assert.ok(isForced || users.length === 0, 'an image of a stopped container needs force')
  }
  for (const id of names.values()) assert.ok(left.has(id), 'no name is left without its image')
  for (const { parent } of left.values()) assert.ok(parent === null || left.has(parent), 'no image is left without its parent')
}

test('safety: no removal takes what a running container or a child needs, or leaves a name without an image', () => {
  fc.assert(
    fc.property(anyView, fc.nat(5), fc.boolean(), fc.boolean(), fc.boolean(), (before, index, isByName, force, noPrune) => {
      const name = [...before.names.keys()][index]
      const id = (isByName && name !== undefined ? before.names.get(name) : ids[index]) as Digest
      const target: Resolved = isByName && name !== undefined ? { id, by: 'name', name } : { id, by: 'id' }
      let steps: readonly RemoveStep[]
      try {
        steps = planRemove(before, target, 'ref', { force, noPrune })
      } catch (error) {
        assert.match((error as { code: string }).code, /^image\.(in_use|conflict)$/)
        return
      }
      assert.ok(steps.length > 0, 'what is not refused does something')
      checkSafe(before, steps, force)
    }),
    { numRuns: 2000 },
  )
})

test('safety and liveness: prune is safe, and a second one finds nothing', () => {
  fc.assert(
    fc.property(anyView, fc.boolean(), (before, danglingOnly) => {
      const steps = planPrune(before, { danglingOnly })
      checkSafe(before, steps, false)
      if (danglingOnly) assert.ok(steps.every((step) => step.type !== 'untag'))
    }),
    { numRuns: 2000 },
  )
})
