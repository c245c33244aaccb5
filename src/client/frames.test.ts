import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { frameReader } from './frames.ts'
import { jsonLines } from './lines.ts'

function frame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0
  for (let i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })

test('frames come apart the same however the bytes are cut', () => {
  const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 20 })))
  fc.assert(
    fc.property(frames, sizes, (parts, cuts) => {
      const got = { stdin: '', stdout: '', stderr: '' }
      const reader = frameReader(({ stream, bytes }) => (got[stream] += bytes.toString('hex')))
      for (const chunk of cut(Buffer.concat(parts.map(([stream, payload]) => frame(stream, payload))), cuts)) reader.push(chunk)
      reader.end()
      const wanted = (stream: number) =>
        parts
          .filter(([s]) => s === stream)
          .map(([, p]) => Buffer.from(p).toString('hex'))
          .join('')
      assert.deepEqual(got, { stdin: '', stdout: wanted(1), stderr: wanted(2) })
    }),
  )
})

test('a frame that is none and an end in the middle are refused', () => {
  assert.throws(() => frameReader(() => undefined).push(Buffer.from('HTTP/1.1')), /broken stream frame/)
  const reader = frameReader(() => undefined)
  reader.push(frame(1, Buffer.from('abc')).subarray(0, 9))
  assert.throws(() => reader.end(), /in the middle/)
})

test('JSON values come one a line however the bytes are cut, also inside a character', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), sizes, async (values, cuts) => {
      const text = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join('') + '\n')
      const got: unknown[] = []
      for await (const value of jsonLines(
        (async function* () {
          yield* cut(text, cuts)
        })(),
      ))
        got.push(value)
      assert.deepEqual(
        got,
        values.map((value) => JSON.parse(JSON.stringify(value)) as unknown),
      )
    }),
  )
})
