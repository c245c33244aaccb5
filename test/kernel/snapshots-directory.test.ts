import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'

import { unpackConfined } from '../../src/engine/snapshots/unpack.ts'
import { hostFixture } from './host-fixture.ts'
import { snapshotsExam } from './snapshots-exam.ts'
import { tarOf } from './snapshots-fixture.ts'

snapshotsExam('directory')

const { root } = hostFixture()

test('the unpacking process cannot reach the host even with an archive that nobody looked at', async () => {
  const [canary, target, jail] = ['canary', 'target', 'jail'].map((name) => join(root, name))
  assert.ok(canary && target && jail)
  for (const path of [canary, target, jail]) mkdirSync(path)
  writeFileSync(join(canary, 'f'), 'alive')
  const archive = tarOf([
    { path: 'out', type: 'symlink', linkname: canary },
    { path: 'up', type: 'symlink', linkname: `../../../../../../..${canary}` },
    { path: 'out/x', body: 'escaped' },
  ])
  const second = tarOf([{ path: `${'../'.repeat(12)}${canary.slice(1)}/y`, body: 'escaped' }])
  for (const bytes of [archive, second])
    await unpackConfined({ archive: Readable.from([bytes], { objectMode: false }), target, jail }).catch((error: unknown) =>
      assert.equal((error as { code: string }).code, 'snapshot.unpack_failed'),
    )
  assert.deepEqual(readdirSync(canary), ['f'])
  assert.equal(existsSync(join(root, 'y')), false)
})
