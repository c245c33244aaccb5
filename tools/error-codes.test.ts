import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { errorCodes, errorsPage } from './error-codes.ts'

test('a planted code appears with its kind and its module, and one in a comment or a fake does not', () => {
  const root = mkdtempSync(join(tmpdir(), 'gb-codes-'))
  try {
    for (const path of ['src/a/b', 'src/a/testing']) mkdirSync(join(root, path), { recursive: true })
    writeFileSync(
      join(root, 'src/a/b/errors.ts'),
      "/**\n * declareErrors({ 'x.y': 'invalid' })\n */\nexport const e = declareErrors({ 'thing.lost': 'not_found' })\n",
    )
    writeFileSync(join(root, 'src/a/testing/fake.ts'), "const e = declareErrors({ 'fake.code': 'invalid' })\n")
    assert.deepEqual(errorCodes(root), [{ code: 'thing.lost', kind: 'not_found', module: 'a/b' }])
    assert.match(errorsPage(errorCodes(root)), /\| `thing\.lost` \| not_found \| a\/b \|/)
  } finally {
    rmSync(root, { recursive: true })
  }
})
