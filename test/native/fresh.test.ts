import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { buildNative } from '../../tools/build-native.ts'

const FRESH = 0
const STALE = 1
const UNKNOWN = 2

/** A tree in which everything is a minute older than the stamp beside it. */
function tree(context: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'fresh-'))
  context.after(() => rmSync(root, { recursive: true }))
  const at = (name: string) => join(root, name)
  const stampS = 1_700_000_000
  const age = (name: string, seconds: number) => utimesSync(at(name), stampS + seconds, stampS + seconds)
  mkdirSync(at('src/deep/deeper'), { recursive: true })
  for (const name of ['stamp', 'src/one.ts', 'src/deep/deeper/two.ts', 'src/deep/two.test.ts']) writeFileSync(at(name), '')
  symlinkSync('/', at('src/deep/link'))
  const all = ['src/one.ts', 'src/deep/deeper/two.ts', 'src/deep/two.test.ts', 'src/deep/deeper', 'src/deep', 'src']
  const settle = () => {
    for (const name of all) age(name, -60)
    spawnSync('touch', ['-h', '-d', `@${stampS - 60}`, at('src/deep/link')])
    for (const name of ['src/deep', 'src']) age(name, -60)
    age('stamp', 0)
  }
  settle()
  const look = (...paths: readonly string[]) => spawnSync(buildNative().shimPath, ['fresh', at('stamp'), ...paths.map(at)]).status
  return { at, age, look, settle }
}

test('sources are fresh until a file or a directory is newer than the stamp, to the nanosecond', (context) => {
  const { at, age, look, settle } = tree(context)
  assert.equal(look('src'), FRESH)
  for (const name of ['src/one.ts', 'src/deep/deeper/two.ts', 'src/deep/deeper', 'src']) {
    age(name, 1)
    assert.equal(look('src'), STALE, name)
    assert.equal(look('stamp', 'src'), STALE, name)
    settle()
  }
  age('src/one.ts', 0)
  assert.equal(look('src'), FRESH)
  spawnSync('touch', ['-d', '@1700000000.000000001', at('src/one.ts')])
  assert.equal(look('src'), STALE)
})

test('tests of the sources do not count, and links are not followed', (context) => {
  const { age, look } = tree(context)
  age('src/deep/two.test.ts', 60)
  assert.equal(look('src'), FRESH)
})

test('a removed file counts by its directory, and what cannot be looked at is not fresh', (context) => {
  const { at, look, settle } = tree(context)
  rmSync(at('src/one.ts'))
  assert.equal(look('src'), STALE)
  writeFileSync(at('src/one.ts'), '')
  settle()
  assert.equal(look('absent'), UNKNOWN)
  rmSync(at('stamp'))
  assert.equal(look('src'), UNKNOWN)
})
