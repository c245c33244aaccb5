import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import fc from 'fast-check'

import { formatTimeNs, timeNs } from './line.ts'
import type { LogReadOptions } from './port.ts'
import { readLog } from './read.ts'

const line = (text: string, stream = 'stdout', second = 0) =>
  `${JSON.stringify({ log: `${text}\n`, stream, time: `2024-01-01T00:00:${String(second).padStart(2, '0')}.000000001Z` })}\n`

const ALL: LogReadOptions = { stdout: true, stderr: true, follow: false, sinceNs: null, untilNs: null, tail: null }

async function collect(path: string, options: Partial<LogReadOptions> = {}): Promise<string[]> {
  const texts: string[] = []
  for await (const entry of readLog({ path, isLive: () => false }, { ...ALL, ...options }, sleep))
    texts.push(entry.line.toString().trimEnd())
  return texts
}

function scratch(): { path: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'gb-logs-'))
  return { path: join(directory, 'c.log'), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}

test('lines come oldest first across rotated files, and a cut last line is left out', async () => {
  using dir = scratch()
  writeFileSync(`${dir.path}.2`, line('one'))
  writeFileSync(`${dir.path}.1`, line('two'))
  writeFileSync(dir.path, `${line('three')}{"log":"cut`)
  assert.deepEqual(await collect(dir.path), ['one', 'two', 'three'])
})

test('tail counts lines back over the files', async () => {
  using dir = scratch()
  writeFileSync(`${dir.path}.1`, line('a') + line('b'))
  writeFileSync(dir.path, line('c') + line('d'))
  assert.deepEqual(await collect(dir.path, { tail: 3 }), ['b', 'c', 'd'])
  assert.deepEqual(await collect(dir.path, { tail: 2 }), ['c', 'd'])
  assert.deepEqual(await collect(dir.path, { tail: 0 }), [])
  assert.deepEqual(await collect(dir.path, { tail: 99 }), ['a', 'b', 'c', 'd'])
})

test('streams and times choose among the lines', async () => {
  using dir = scratch()
  writeFileSync(dir.path, line('a', 'stdout', 1) + line('b', 'stderr', 2) + line('c', 'stdout', 3))
  assert.deepEqual(await collect(dir.path, { stderr: false }), ['a', 'c'])
  assert.deepEqual(await collect(dir.path, { sinceNs: timeNs('2024-01-01T00:00:02Z') }), ['b', 'c'])
  assert.deepEqual(await collect(dir.path, { untilNs: timeNs('2024-01-01T00:00:02.5Z') }), ['a', 'b'])
})

test('following sees what is written later and steps over a rotation without losing a line', async () => {
  using dir = scratch()
  writeFileSync(dir.path, line('a'))
  let isLive = true
  const texts: string[] = []
  const reading = (async () => {
    for await (const entry of readLog({ path: dir.path, isLive: () => isLive }, { ...ALL, follow: true }, sleep))
      texts.push(entry.line.toString().trimEnd())
  })()
  const until = async (count: number) => {
    while (texts.length < count) await sleep(5)
  }
  await until(1)
  appendFileSync(dir.path, line('b'))
  await until(2)
  appendFileSync(dir.path, line('c'))
  renameSync(dir.path, `${dir.path}.1`)
  writeFileSync(dir.path, line('d'))
  await until(4)
  isLive = false
  await reading
  assert.deepEqual(texts, ['a', 'b', 'c', 'd'])
})

test('a log that was never written is empty', async () => {
  using dir = scratch()
  assert.deepEqual(await collect(dir.path), [])
})

test('times survive the way to text and back to the nanosecond', () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }), (ns) => timeNs(formatTimeNs(ns)) === ns))
})
