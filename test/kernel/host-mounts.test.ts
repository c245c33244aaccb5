import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { hostFixture } from './host-fixture.ts'

const { host, root } = hostFixture()

function directory(...parts: readonly string[]): string {
  const path = join(root, ...parts)
  mkdirSync(path, { recursive: true })
  return path
}

test('an overlay shows the topmost layer first and writes only to its upper directory', () => {
  const [top, bottom, upper, work, target] = ['top', 'bottom', 'upper', 'work', 'merged'].map((name) =>
    directory('overlay', name),
  )
  assert.ok(top && bottom && upper && work && target)
  writeFileSync(join(bottom, 'who'), 'bottom')
  writeFileSync(join(top, 'who'), 'top')
  host.mounts.overlay({ lowers: [top, bottom], upper, work, target, volatile: true })
  assert.equal(readFileSync(join(target, 'who'), 'utf8'), 'top')
  writeFileSync(join(target, 'new'), '1')
  assert.deepEqual(readdirSync(upper), ['new'])
  host.mounts.unmount(target)
  assert.deepEqual(readdirSync(target), [])
})

test('an overlay takes 200 layers and paths full of characters that mean something', () => {
  const lowers = Array.from({ length: 200 }, (_, at) => directory('many', `layer-${at}-${'x'.repeat(40)}`))
  for (const [at, lower] of lowers.entries()) writeFileSync(join(lower, `file-${at}`), '')
  const odd = directory('many', 'a:b,c\\d e')
  writeFileSync(join(odd, 'odd'), '')
  const long = directory('many', 'l'.repeat(200), 'm'.repeat(200))
  writeFileSync(join(long, 'long'), '')
  const target = directory('many-merged')
  host.mounts.overlay({
    lowers: [odd, long, ...lowers],
    upper: directory('up,per'),
    work: directory('wo:rk'),
    target,
  })
  assert.equal(readdirSync(target).length, 202)
  host.mounts.unmount(target)
})

test('an overlay without an upper directory is read-only', () => {
  const lower = directory('ro', 'lower')
  const target = directory('ro', 'merged')
  host.mounts.overlay({ lowers: [lower, directory('ro', 'second')], target })
  assert.throws(() => writeFileSync(join(target, 'x'), ''), { code: 'EROFS' })
  host.mounts.unmount(target)
})

test('a mount that fails names the errno and the paths', () => {
  assert.throws(() => host.mounts.overlay({ lowers: [join(root, 'absent')], target: directory('bad') }), {
    code: 'host.mount_failed',
    message: new RegExp(`mount overlay on ${root}/bad with 1 layers \\(${root}/absent\\): ENOENT`),
    details: { errno: 'ENOENT' },
  })
  writeFileSync(join(root, 'not-erofs'), 'x'.repeat(8192))
  assert.throws(() => host.mounts.erofs({ index: join(root, 'not-erofs'), devices: [], target: directory('bad') }), {
    code: 'host.mount_failed',
    message: /mount erofs .*not-erofs on .*\/bad: EINVAL/,
  })
})

test('a recursive read-only bind covers the mounts below it', () => {
  const source = directory('bind', 'source')
  const inner = directory('bind', 'source', 'inner')
  const target = directory('bind', 'target')
  host.mounts.tmpfs({ target: inner, sizeBytes: 65_536, mode: 0o700 })
  assert.equal(statSync(inner).mode & 0o777, 0o700)
  host.mounts.bind({ source, target, recursive: true, readOnly: true, propagation: 'rprivate' })
  assert.throws(() => writeFileSync(join(target, 'x'), ''), { code: 'EROFS' })
  assert.throws(() => writeFileSync(join(target, 'inner', 'x'), ''), { code: 'EROFS' })
  writeFileSync(join(inner, 'still-writable'), '')
  assert.deepEqual(
    host.mounts.list(target).map((mount) => [mount.target, mount.options.includes('ro'), mount.propagation]),
    [
      [target, true, []],
      [join(target, 'inner'), true, []],
    ],
  )
  host.mounts.unmount(target, { lazy: true })
  host.mounts.unmount(inner)
})

test('unmounting what is not mounted, or not there, is fine', () => {
  host.mounts.unmount(directory('nothing'))
  host.mounts.unmount(join(root, 'nowhere'))
  assert.ok(existsSync(join(root, 'nothing')))
})

test('the mount table gives back a path with a space and a newline as it is', () => {
  const target = directory('odd', 'a b\nc')
  host.mounts.tmpfs({ target })
  assert.equal(host.mounts.list(join(root, 'odd'))[0]?.target, target)
  host.mounts.makePrivate(target)
  assert.deepEqual(host.mounts.list(target)[0]?.propagation, [])
  host.mounts.unmount(target)
})
