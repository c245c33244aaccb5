import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chooseDriver } from './choose-driver.ts'

test('a trial that worked decides for mounting in place', () => {
  assert.equal(chooseDriver({ kernelRelease: '6.18.44', erofsProblem: undefined }).kind, 'erofs')
})

test('a trial that failed decides for directories and says why', () => {
  const old = chooseDriver({ kernelRelease: '6.1.0-35-amd64', erofsProblem: 'ENOTBLK' })
  assert.equal(old.kind, 'directory')
  assert.match(old.reasons.join(' '), /6\.1\.0-35-amd64.*ENOTBLK.*needs Linux 6\.12/)
  const odd = chooseDriver({ kernelRelease: '6.12.1', erofsProblem: 'EPERM' })
  assert.match(odd.reasons.join(' '), /right to mount/)
})

test("the operator's word counts, and is refused when it cannot be done", () => {
  assert.equal(chooseDriver({ kernelRelease: '6.18.0', erofsProblem: undefined, wanted: 'directory' }).kind, 'directory')
  assert.throws(() => chooseDriver({ kernelRelease: '5.10.0', erofsProblem: 'ENODEV', wanted: 'erofs' }), {
    code: 'snapshot.driver_unusable',
    hint: /6\.12/,
  })
})
