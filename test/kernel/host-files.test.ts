import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { hostFixture } from './host-fixture.ts'

const { host, root } = hostFixture()
const { files } = host

test('extended attributes are written, read, listed and removed, on links themselves too', () => {
  const path = join(root, 'xattr')
  writeFileSync(path, '')
  symlinkSync('nowhere', join(root, 'link'))
  assert.equal(files.lgetxattr(path, 'trusted.overlay.opaque'), undefined)
  files.lsetxattr(path, 'trusted.overlay.opaque', Buffer.from('y'))
  files.lsetxattr(path, 'user.long', Buffer.alloc(1000, 7))
  files.lsetxattr(path, 'user.empty', Buffer.alloc(0))
  files.lsetxattr(join(root, 'link'), 'trusted.on-link', Buffer.from('1'))
  assert.equal(files.lgetxattr(path, 'trusted.overlay.opaque')?.toString(), 'y')
  assert.deepEqual(files.lgetxattr(path, 'user.long'), Buffer.alloc(1000, 7))
  assert.equal(files.lgetxattr(path, 'user.empty')?.length, 0)
  assert.deepEqual(files.llistxattr(path).toSorted(), ['trusted.overlay.opaque', 'user.empty', 'user.long'])
  assert.deepEqual(files.llistxattr(join(root, 'link')), ['trusted.on-link'])
  files.lremovexattr(path, 'user.long')
  files.lremovexattr(path, 'user.long')
  assert.throws(() => files.lgetxattr(join(root, 'absent'), 'user.x'), { code: 'host.file_failed', details: { errno: 'ENOENT' } })
})

test('device nodes carry their numbers and exactly the mode asked for', () => {
  const path = join(root, 'null')
  files.mknod(path, constants.S_IFCHR | 0o666, { major: 1, minor: 3 })
  assert.deepEqual(files.deviceNumbers(path), { major: 1, minor: 3 })
  assert.equal(statSync(path).mode & 0o7777, 0o666)
  const large = join(root, 'large')
  files.mknod(large, constants.S_IFBLK | 0o600, { major: 259, minor: 1_000_000 })
  assert.deepEqual(files.deviceNumbers(large), { major: 259, minor: 1_000_000 })
  files.mknod(join(root, 'fifo'), constants.S_IFIFO | 0o622)
  assert.equal(files.deviceNumbers(join(root, 'fifo')), undefined)
})

test('paths inside a root never leave it', () => {
  const rootfs = join(root, 'rootfs')
  mkdirSync(join(rootfs, 'etc'), { recursive: true })
  writeFileSync(join(rootfs, 'etc/passwd'), 'inside')
  symlinkSync('/etc/passwd', join(rootfs, 'absolute'))
  symlinkSync('../../../../../../etc/passwd', join(rootfs, 'climbing'))
  symlinkSync('/etc/nothing', join(rootfs, 'dangling'))
  for (const path of ['/absolute', 'climbing', '/../../etc/passwd', 'etc/passwd']) {
    const fd = files.openInRoot(rootfs, path)
    assert.equal(readFileSync(fd, 'utf8'), 'inside')
    closeSync(fd)
    assert.equal(files.resolveInRoot(rootfs, path), join(rootfs, 'etc/passwd'))
  }
  assert.equal(files.resolveInRoot(rootfs, '/absolute', { followLast: false }), join(rootfs, 'absolute'))
  assert.equal(files.resolveInRoot(rootfs, '/dangling'), undefined)
  assert.equal(files.resolveInRoot(rootfs, ''), rootfs)
  assert.throws(() => files.openInRoot(rootfs, '/dangling'), { code: 'host.file_not_found', kind: 'not_found' })
  const made = files.openInRoot(rootfs, 'climbing-new', { flags: constants.O_WRONLY | constants.O_CREAT, mode: 0o600 })
  closeSync(made)
  assert.equal(statSync(join(rootfs, 'climbing-new')).size, 0)
})

test('a lock keeps out another process until it is disposed', () => {
  const path = join(root, 'lock')
  const tryElsewhere = () => {
    try {
      execFileSync('flock', ['-n', path, 'true'])
      return true
    } catch {
      return false
    }
  }
  const lock = files.tryLock(path)
  assert.ok(lock !== undefined)
  assert.equal(files.tryLock(path), undefined)
  assert.equal(tryElsewhere(), false)
  lock[Symbol.dispose]()
  lock[Symbol.dispose]()
  assert.equal(tryElsewhere(), true)
})

test('two directories change places, and space is told', () => {
  for (const name of ['one', 'two']) {
    mkdirSync(join(root, name))
    writeFileSync(join(root, name, 'name'), name)
  }
  files.exchange(join(root, 'one'), join(root, 'two'))
  assert.equal(readFileSync(join(root, 'one/name'), 'utf8'), 'two')
  assert.ok(files.space(root).availableBytes > 0)
  assert.ok(files.space(root).totalInodes > 0)
  files.syncDirectory(root)
})
