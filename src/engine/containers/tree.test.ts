import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { withoutMountPoints } from './tree.ts'

const change = (kind: 'modified' | 'added' | 'deleted', path: string) => ({ kind, path })

test('mount points that every container gets are no changes, nor is their directory', () => {
  const mountPoints = [
    change('modified', '/etc'),
    change('added', '/etc/hosts'),
    change('added', '/etc/resolv.conf'),
    change('added', '/proc'),
  ]
  assert.deepEqual(withoutMountPoints(mountPoints), [])
})

test('a directory in which something else was changed stays', () => {
  const own = [change('modified', '/etc'), change('deleted', '/etc/motd')]
  assert.deepEqual(withoutMountPoints([...own, change('added', '/etc/hosts')]), own)
})

test('a file of the image that was changed stays, mount point or not', () => {
  const own = [change('modified', '/etc'), change('modified', '/etc/hosts')]
  assert.deepEqual(withoutMountPoints(own), own)
})

test('what is left was there before, in the same order', () => {
  const path = fc.constantFrom('/etc', '/etc/hosts', '/etc/motd', '/dev', '/sbin', '/sbin/docker-init', '/a', '/a/b')
  const kind = fc.constantFrom('modified' as const, 'added' as const, 'deleted' as const)
  fc.assert(
    fc.property(fc.uniqueArray(fc.record({ kind, path }), { selector: (one) => one.path }), (changes) => {
      const left = withoutMountPoints(changes)
      assert.deepEqual(
        left,
        changes.filter((one) => left.includes(one)),
      )
      assert.ok(changes.filter(({ path: at }) => at.startsWith('/a')).every((one) => left.includes(one)))
    }),
  )
})
