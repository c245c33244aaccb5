import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { exitCodeOfFailure, parseExit, parseStarted, parseState } from './records.ts'

test('times keep their nanoseconds', () => {
  assert.deepEqual(parseStarted('{"pid":7,"startedAtNs":"1795411461750199730"}'), { pid: 7, startedAtNs: 1795411461750199730n })
})

test('an exit record tells code and signal', () => {
  const text = '{"pid":7,"exitCode":137,"signal":9,"startedAtNs":"1","exitedAtNs":"2"}'
  const record = { pid: 7, exitCode: 137, signal: 9, startedAtNs: 1n, exitedAtNs: 2n, runtimeError: undefined }
  assert.deepEqual(parseExit(text), record)
})

test('a program that could not be executed has the exit code that shells give it', () => {
  const text = '{"pid":7,"exitCode":1,"signal":null,"startedAtNs":"1","exitedAtNs":"2","runtimeError":"exec: Exec format error"}'
  assert.equal(parseExit(text).exitCode, 126)
  assert.equal(exitCodeOfFailure('executable file `x` not found in $PATH: No such file or directory'), 127)
  assert.equal(exitCodeOfFailure('exec container process `/x`: Permission denied'), 126)
  assert.equal(exitCodeOfFailure('mount `proc`: Operation not permitted'), 125)
})

test('a record that lacks something is refused with what it lacks', () => {
  assert.throws(() => parseState('{"pid":1,"startedAtNs":"1","shimPid":2}'), /no number startTicks/)
  assert.throws(() => parseStarted('{"pid":1,"startedAtNs":5}'), /no time startedAtNs/)
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.throws(() => parseExit(text))
    }),
  )
})
