import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { acceptOf, OPCODE, websocketFrame, websocketReader, type WebsocketFrame } from './websocket.ts'

/** As a client sends it: with the mask bit set, and masked. */
function masked(frame: Buffer, payloadLength: number): Buffer {
  const head = Buffer.from(frame.subarray(0, frame.length - payloadLength))
  head[1] = (head[1] ?? 0) | 0x80
  const mask = Buffer.from([1, 2, 3, 4])
  const payload = frame.subarray(frame.length - payloadLength).map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  return Buffer.concat([head, mask, payload])
}

test('the answer to a key is that of the RFC', () => {
  assert.equal(acceptOf('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})

test('frames of a client come out as they went in, however they are cut', () => {
  const sizes = fc.array(fc.constantFrom(0, 1, 125, 126, 65_535, 65_536), { maxLength: 3 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 70_000 }), (lengths, cut) => {
      const payloads = lengths.map((length) => Buffer.alloc(length, 7))
      const bytes = Buffer.concat(payloads.map((payload) => masked(websocketFrame(OPCODE.binary, payload), payload.length)))
      const got: WebsocketFrame[] = []
      const read = websocketReader((frame) => got.push(frame))
      for (let at = 0; at < bytes.length; at += cut) read(bytes.subarray(at, at + cut))
      assert.deepEqual(
        got.map(({ payload }) => payload),
        payloads,
      )
    }),
    { numRuns: 30 },
  )
})

test('frames that are not masked, of no known kind or too long are refused', () => {
  const read = () => websocketReader(() => undefined)
  assert.throws(() => read()(websocketFrame(OPCODE.text, Buffer.from('x'))), /not masked/)
  assert.throws(() => read()(Buffer.from([0x83, 0x80])), /unknown kind/)
  assert.throws(() => read()(Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0])), /a frame of 4294967296 bytes/)
})
