import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'

import { chunksOf } from './index.ts'

test('chunks come one by one as they were sent, however many wait', async () => {
  const sent = Array.from({ length: 50 }, (_, index) => Buffer.alloc(20_000, index))
  const stream = new PassThrough({ highWaterMark: 1_000_000 })
  for (const chunk of sent) stream.write(chunk)
  stream.end()
  const came: Buffer[] = []
  for await (const chunk of chunksOf(stream)) came.push(chunk)
  assert.deepEqual(
    came.map(({ length }) => length),
    sent.map(({ length }) => length),
  )
  assert.ok(Buffer.concat(came).equals(Buffer.concat(sent)))
})

test('a stream that fails or is cut fails here after what came before, and one that was gone from the start at once', async () => {
  async function* broken() {
    yield Buffer.from('a')
    throw new Error('the line went dead')
  }
  const came: string[] = []
  const read = async (stream: Readable) => {
    for await (const chunk of chunksOf(stream)) came.push(chunk.toString())
  }
  await assert.rejects(read(Readable.from(broken(), { objectMode: false })), /went dead/)
  assert.deepEqual(came, ['a'])
  const gone = new PassThrough()
  gone.destroy()
  await assert.rejects(read(gone), { code: 'ERR_STREAM_PREMATURE_CLOSE' })
})

test('whoever stops lets the sender go on', async () => {
  const stream = new PassThrough({ highWaterMark: 10 })
  stream.write(Buffer.alloc(100))
  for await (const _ of chunksOf(stream)) break
  for (let round = 0; round < 100; round += 1)
    if (!stream.write(Buffer.alloc(100))) await new Promise((resolve) => stream.once('drain', resolve))
  assert.ok(!stream.destroyed)
})
