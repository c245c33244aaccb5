import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { systemRandom } from '#base'
import fc from 'fast-check'

import { fileAppender } from './append.ts'

const random = systemRandom()

test('whatever the sizes of the chunks and wherever an append begins, the file has all bytes in order', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'append-'))
  const path = join(directory, 'file')
  try {
    const sizes = fc.array(fc.array(fc.integer({ min: 0, max: 1_500_000 }), { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(sizes, async (appends) => {
        closeSync(openSync(path, 'w'))
        const whole: Buffer[] = []
        for (const chunks of appends) {
          await using file = await fileAppender(
            path,
            whole.reduce((sum, { length }) => sum + length, 0),
          )
          for (const size of chunks) {
            const chunk = Buffer.from(random.bytes(size))
            whole.push(Buffer.from(chunk))
            await file.append(chunk)
            // What was taken is the appender's own.
            chunk.fill(0)
          }
          await file.end()
        }
        assert.ok(readFileSync(path).equals(Buffer.concat(whole)))
      }),
      { numRuns: 20 },
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('a disk that is full is told to whoever appends, and nothing is written behind the gap', async () => {
  const file = await fileAppender('/dev/full', 0)
  const chunk = Buffer.alloc(3 * 1024 * 1024)
  await assert.rejects(
    async () => {
      await file.append(chunk)
      await file.end()
    },
    { code: 'ENOSPC' },
  )
  await file[Symbol.asyncDispose]()
})
