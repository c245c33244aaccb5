import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { cpioArchive, type CpioFile } from './cpio.ts'

/** Reads it back by the format's description alone. */
function read(archive: Buffer): CpioFile[] {
  const files: CpioFile[] = []
  for (let at = 0; ;) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701')
    const field = (index: number) => Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16)
    const [mode, size, nameSize] = [field(1), field(6), field(11)]
    const path = archive.toString('utf8', at + 110, at + 110 + nameSize - 1)
    const from = (at + 110 + nameSize + 3) & ~3
    if (path === 'TRAILER!!!') return files
    files.push({ path, mode, body: new Uint8Array(archive.subarray(from, from + size)) })
    at = (from + size + 3) & ~3
  }
}

test('what goes into an archive comes out of it', () => {
  const file = fc.record(
    {
      path: fc.stringMatching(/^[a-z/._-]{1,40}$/),
      mode: fc.constantFrom(0o100_644, 0o040_755),
      body: fc.uint8Array({ maxLength: 100 }),
    },
    { noNullPrototype: true },
  )
  fc.assert(fc.property(fc.array(file, { maxLength: 10 }), (files) => assert.deepEqual(read(cpioArchive(files)), files)))
})
