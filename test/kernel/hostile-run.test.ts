import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { directory, raw, symlink, tar } from './hostile-tar.ts'
import { type Survivor, survivor } from './survival-fixture.ts'

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
})
after(async () => await s.dispose())

const SHELL = raw({ name: 'bin/busybox', mode: 0o755, body: readFileSync('/bin/busybox') })

async function importImage(name: string, ...members: readonly Buffer[]): Promise<void> {
  const path = join(s.directory, `${name}.tar`)
  writeFileSync(path, tar(SHELL, ...members))
  await s.must('import', path, name)
}

test('device nodes of an image cannot be opened', async () => {
  const nodes = [
    raw({ name: 'disk', type: '4', device: [8, 0], mode: 0o666 }),
    raw({ name: 'memory', type: '3', device: [1, 1], mode: 0o666 }),
  ]
  await importImage('nodes', ...nodes)
  for (const node of ['/disk', '/memory']) {
    const { code, stderr } = await s.docker('run', '--rm', 'nodes', '/bin/busybox', 'head', '-c', '1', node)
    assert.notEqual(code, 0)
    assert.match(stderr, /Operation not permitted/)
  }
})

test('an image whose /dev, /proc, /sys or /etc leads elsewhere does not start, and one whose files there do is read inside', async () => {
  for (const name of ['dev', 'proc', 'sys', 'etc']) {
    await importImage(`link-${name}`, symlink(name, '/tmp'), directory('tmp'))
    const { code, stderr } = await s.docker('run', '--rm', `link-${name}`, '/bin/busybox', 'true')
    assert.equal(code, 125)
    assert.match(stderr, new RegExp(`/${name} of the image`))
  }
  // The host's users must not be asked.
  await importImage(
    'users',
    directory('etc'),
    symlink('etc/passwd', '/proc/1/root/etc/passwd'),
    symlink('etc/resolv.conf', '/etc/shadow'),
  )
  const { code, stderr } = await s.docker('run', '--rm', '-u', 'daemon', 'users', '/bin/busybox', 'true')
  assert.notEqual(code, 0)
  assert.match(stderr, /unable to find user daemon/)
  await s.expectNoLeaks()
})
