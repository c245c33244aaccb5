import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { bytesOfText, packTar, scanTar, streamTar } from './index.ts'

async function archiveOf(files: readonly { readonly name: string; readonly body: Uint8Array }[]): Promise<Buffer> {
  const members = files.map(({ name, body }) => ({
    entry: { path: bytesOfText(name), type: 'file' as const, size: body.length },
    body: [Buffer.from(body)],
  }))
  return Buffer.concat(await Array.fromAsync(packTar(members)))
}

async function* inSteps(bytes: Buffer, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

const files = fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,120}$/), body: fc.uint8Array({ maxLength: 2000 }) }), {
  maxLength: 6,
  selector: ({ name }) => name,
})

test('in whatever chunks it comes, a streamed archive has the entries and bytes of one that is read by position', async () => {
  await fc.assert(
    fc.asyncProperty(files, fc.integer({ min: 1, max: 3000 }), fc.nat(5), async (given, step, skipped) => {
      const archive = await archiveOf(given)
      const scanned = [...scanTar((buffer, position) => archive.copy(buffer, 0, position), archive.length)]
      let index = 0
      for await (const { entry, body } of streamTar(inSteps(archive, step))) {
        assert.deepEqual(entry, scanned[index])
        // A body that nobody reads, or not to its end, is no harm to the next one.
        if (index === skipped) for await (const _ of body) break
        else assert.deepEqual(Buffer.concat(await Array.fromAsync(body)), Buffer.from(given[index]?.body ?? []))
        index += 1
      }
      assert.equal(index, scanned.length)
    }),
    { numRuns: 100 },
  )
})

test('an archive that is cut anywhere ends in an error, in its bodies as in its headers', async () => {
  const archive = await archiveOf([
    { name: 'a', body: Buffer.alloc(700, 1) },
    { name: 'b', body: Buffer.alloc(10, 2) },
  ])
  for (let length = 1; length < archive.length - 1024; length += 97) {
    if (length % 512 === 0) continue
    const read = async () => {
      for await (const { body } of streamTar(inSteps(archive.subarray(0, length), 100))) await Array.fromAsync(body)
    }
    await assert.rejects(read(), { code: 'tar.truncated' }, `cut at ${length}`)
  }
})

test('what the source throws is thrown to whoever reads on, in a body and after it', async () => {
  const archive = await archiveOf([{ name: 'a', body: Buffer.alloc(5000, 1) }])
  async function* broken() {
    yield archive.subarray(0, 2000)
    throw new Error('the line went dead')
  }
  const reading = async () => {
    for await (const { body } of streamTar(broken())) await assert.rejects(Array.fromAsync(body), /went dead/)
  }
  await assert.rejects(reading(), /went dead/)
})
