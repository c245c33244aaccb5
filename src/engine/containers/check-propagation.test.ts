import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { MountEntry } from '#host'

import { checkPropagation } from './check-propagation.ts'

const entry = (target: string, ...propagation: readonly string[]): MountEntry => {
  return {
    id: 1,
    parentId: 0,
    device: '0:1',
    root: '/',
    target,
    options: [],
    propagation,
    type: 'ext4',
    source: 'x',
    superOptions: [],
  }
}

test('a bind passes mounts on only where its source does, and takes them in where they come from', () => {
  const mounts = () => [entry('/', 'shared:1'), entry('/proc'), entry('/sys', 'master:1')]
  for (const propagation of ['rprivate', 'private']) checkPropagation('/proc/self', propagation, mounts)
  for (const propagation of ['rshared', 'shared', 'rslave', 'slave']) checkPropagation('/usr', propagation, mounts)
  checkPropagation('/sys/kernel', 'rslave', mounts)
  assert.throws(
    () => checkPropagation('/sys/kernel', 'rshared', mounts),
    /\/sys\/kernel is mounted on \/sys but it is not a shared mount/,
  )
  assert.throws(() => checkPropagation('/proc/sys', 'slave', mounts), /mounted on \/proc but it is not a shared or slave mount/)
})
