import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { apkPackages, dpkgPackages } from './packages.ts'

const APK = `C:Q1abc=
P:musl
V:1.2.4-r2
A:x86_64
L:MIT
o:musl
m:Timo <t@example.org>

P:busybox
V:1.36
`

test('the database of apk is read', () => {
  assert.deepEqual(
    apkPackages(APK).map(({ name, version, license, source }) => [name, version, license, source]),
    [
      ['musl', '1.2.4-r2', 'MIT', 'musl'],
      ['busybox', '1.36', '', ''],
    ],
  )
})

test('no text is too odd: what comes out has a name and a version', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('P', ':', 'V', '\n', ' ', 'Package: a\n', 'Version: 1\n', 'x') }), (text) => {
      for (const one of [...dpkgPackages(text), ...apkPackages(text)]) assert.ok(one.name !== '' && one.version !== '')
    }),
  )
})
