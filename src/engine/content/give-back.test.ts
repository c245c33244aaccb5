import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { givingBack, peek } from './index.ts'
import { decompressedOnce } from './decompress.ts'

const alone = (text: string) => {
  const bytes = new Uint8Array(text.length)
  bytes.set(Buffer.from(text))
  return bytes
}

async function* each(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

test('a chunk is gone when the next one is asked for, and one that shares its memory stays', async () => {
  const chunks = [alone('first'), Buffer.from('cut from a pool'), alone('last')]
  const iterator = givingBack(each(...chunks))[Symbol.asyncIterator]()
  const lengths = () => chunks.map(({ length }) => length)
  await iterator.next()
  assert.deepEqual(lengths(), [5, 15, 4])
  await iterator.next()
  assert.deepEqual(lengths(), [0, 15, 4])
  await iterator.next()
  await iterator.return?.()
  assert.deepEqual(lengths(), [0, 15, 4], 'whoever stops keeps the last one')
})

test('a look at the first bytes of small chunks keeps them', async () => {
  const { head, source } = await peek(givingBack(each(alone('ab'), alone('c'), alone('defg'), alone('h'))), 4)
  assert.equal(head.subarray(0, 4).toString(), 'abcd')
  let text = ''
  for await (const chunk of source) text += Buffer.from(chunk).toString()
  assert.equal(text, 'abcdefgh')
})

test('what is decompressed is whole, whatever memory is given back on the way', async () => {
  const plain = Buffer.alloc(3_000_000, 'some text of a layer, ')
  const packed = gzipSync(plain)
  const pieces = Array.from({ length: Math.ceil(packed.length / 1000) }, (_, at) => packed.subarray(at * 1000, (at + 1) * 1000))
  const parts: Buffer[] = []
  for await (const chunk of decompressedOnce(each(...pieces), 'gzip', 'test')) parts.push(Buffer.from(chunk))
  assert.ok(Buffer.concat(parts).equals(plain))
})
