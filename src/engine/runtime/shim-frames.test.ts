import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import {
  encodeFrame,
  encodeResize,
  encodeSignal,
  encodeSpawn,
  encodeStdin,
  encodeSubscribe,
  frameDecoder,
  frameType,
  MAX_CONTROL_PAYLOAD_BYTES,
  type ControlFrame,
  type OutputPiece,
} from './shim-frames.ts'

const anyFrame = fc.record({
  type: fc.constantFrom(frameType.stdout, frameType.stderr, frameType.started, frameType.exited, frameType.outputEnd),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
})

/** Neighbouring pieces of one stream are one, because where a stream is cut means nothing. */
function joined(pieces: ReadonlyArray<OutputPiece | ControlFrame>): readonly string[] {
  const out: string[] = []
  let last: string | undefined
  for (const piece of pieces) {
    const tag = piece.kind === 'output' ? piece.stream : undefined
    const text = piece.kind === 'output' ? piece.bytes.toString('hex') : `${piece.type}:${piece.payload.toString('hex')}`
    if (tag !== undefined && tag === last) out[out.length - 1] += text
    else out.push(tag === undefined ? text : `${tag}:${text}`)
    last = tag
  }
  return out
}

test('however a stream of frames is cut, the same comes out', () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 12 }), fc.array(fc.nat(60), { maxLength: 60 }), (frames, cuts) => {
      const whole = Buffer.concat(frames.map((frame) => encodeFrame(frame.type, frame.payload)))
      const decoder = frameDecoder()
      const pieces: Array<OutputPiece | ControlFrame> = []
      let at = 0
      for (const cut of cuts) {
        pieces.push(...decoder.push(whole.subarray(at, at + cut)))
        at = Math.min(whole.length, at + cut)
      }
      pieces.push(...decoder.push(whole.subarray(at)))
      assert.deepEqual(joined(pieces), joined(frameDecoder().push(whole)))
      const bytesOf = (stream: 'stdout' | 'stderr') =>
        Buffer.concat(pieces.flatMap((piece) => (piece.kind === 'output' && piece.stream === stream ? [piece.bytes] : [])))
      for (const stream of ['stdout', 'stderr'] as const)
        assert.deepEqual(
          bytesOf(stream),
          Buffer.concat(frames.filter((frame) => frame.type === frameType[stream]).map((f) => f.payload)),
        )
      const controls = frames.filter((frame) => frame.type > frameType.stderr).map(({ type, payload }) => ({ type, payload }))
      assert.deepEqual(
        pieces.flatMap((piece) => (piece.kind === 'control' ? [{ type: piece.type, payload: piece.payload }] : [])),
        controls,
      )
    }),
  )
})

test('bytes that are no frames are refused, whatever they are, and never gathered without bound', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        frameDecoder().push(Buffer.from(bytes))
      } catch (error) {
        assert.match(String(error), /the shim sent/)
      }
    }),
  )
  const header = encodeFrame(frameType.exited)
  header.writeUInt32BE(MAX_CONTROL_PAYLOAD_BYTES + 1, 4)
  assert.throws(() => frameDecoder().push(header), /frame of type 34 with 65537 bytes/)
})

test('stdin is cut into frames that the shim can queue', () => {
  const parts = encodeStdin(Buffer.alloc(150_000, 'x'))
  assert.deepEqual(
    parts.map((part) => part.length),
    [8, 65536, 8, 65536, 8, 18928],
  )
  assert.deepEqual(encodeStdin(Buffer.alloc(0)), [])
})

test('requests have the form that the shim expects', () => {
  assert.equal(encodeResize(24, 80).toString('hex'), '110000000000000400180050')
  assert.equal(encodeResize(-1, 70_000).toString('hex'), '11000000000000040000ffff')
  assert.equal(encodeSignal(15).toString('hex'), '13000000000000040000000f')
  assert.equal(encodeSubscribe({ stdout: true, stderr: false }).toString('hex'), '120000000000000101')
  assert.equal(encodeSpawn(['run', '--tty']).subarray(8).toString(), 'run\0--tty\0')
})
