import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

import fc from 'fast-check'

import { systemClock } from '#base'

import { attributesText } from './attributes.ts'
import { formatTimeNs, parseLogLine, timeNs } from './line.ts'
import type { LogReadOptions } from './port.ts'
import { readLog } from './read.ts'

const line = (text: string, stream = 'stdout', second = 0) =>
  `${JSON.stringify({ log: `${text}\n`, stream, time: `2024-01-01T00:00:${String(second).padStart(2, '0')}.000000001Z` })}\n`

const ALL: LogReadOptions = { stdout: true, stderr: true, follow: false, sinceNs: null, untilNs: null, tail: null }

async function collect(path: string, options: Partial<LogReadOptions> = {}): Promise<string[]> {
  const texts: string[] = []
  for await (const entry of readLog({ path, isLive: () => false }, { ...ALL, ...options }, systemClock()))
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
    for await (const entry of readLog({ path: dir.path, isLive: () => isLive }, { ...ALL, follow: true }, systemClock()))
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

test('rotated files may be compressed, whatever is asked of them', async () => {
  using dir = scratch()
  writeFileSync(`${dir.path}.2.gz`, gzipSync(line('a') + line('b')))
  writeFileSync(`${dir.path}.1.gz`, gzipSync(line('c') + line('d')))
  writeFileSync(dir.path, line('e'))
  assert.deepEqual(await collect(dir.path), ['a', 'b', 'c', 'd', 'e'])
  assert.deepEqual(await collect(dir.path, { tail: 1 }), ['e'])
  assert.deepEqual(await collect(dir.path, { tail: 2 }), ['d', 'e'])
  assert.deepEqual(await collect(dir.path, { tail: 4 }), ['b', 'c', 'd', 'e'])
  assert.deepEqual(await collect(dir.path, { tail: 9 }), ['a', 'b', 'c', 'd', 'e'])
})

test('a compressed file that was cut short gives the lines that it has', async () => {
  using dir = scratch()
  const packed = gzipSync(Array.from({ length: 2000 }, (_, i) => line(String(i))).join(''))
  writeFileSync(`${dir.path}.1.gz`, packed.subarray(0, packed.length - 20))
  writeFileSync(dir.path, line('last'))
  const texts = await collect(dir.path)
  assert.equal(texts[0], '0')
  assert.equal(texts.at(-1), 'last')
})

test('following steps over several rotations at once, into compressed files too', async () => {
  using dir = scratch()
  writeFileSync(dir.path, line('a'))
  let isLive = true
  const texts: string[] = []
  const reading = (async () => {
    for await (const entry of readLog({ path: dir.path, isLive: () => isLive }, { ...ALL, follow: true }, systemClock()))
      texts.push(entry.line.toString().trimEnd())
  })()
  const until = async (count: number) => {
    while (texts.length < count) await sleep(5)
  }
  await until(1)
  // All between two looks of the reader: nothing here waits.
  writeFileSync(`${dir.path}.3.gz`, gzipSync(line('a')))
  writeFileSync(`${dir.path}.2.gz`, gzipSync(line('b')))
  writeFileSync(`${dir.path}.1`, line('c'))
  writeFileSync(`${dir.path}.new`, line('d'))
  renameSync(`${dir.path}.new`, dir.path)
  await until(4)
  isLive = false
  await reading
  assert.deepEqual(texts, ['a', 'b', 'c', 'd'])
})

test('a log of a single file that starts anew is followed from its start', async () => {
  using dir = scratch()
  writeFileSync(dir.path, line('a') + line('b'))
  let isLive = true
  const texts: string[] = []
  const reading = (async () => {
    for await (const entry of readLog({ path: dir.path, isLive: () => isLive }, { ...ALL, follow: true }, systemClock()))
      texts.push(entry.line.toString().trimEnd())
  })()
  while (texts.length < 2) await sleep(5)
  truncateSync(dir.path, 0)
  appendFileSync(dir.path, line('c'))
  while (texts.length < 3) await sleep(5)
  isLive = false
  await reading
  assert.deepEqual(texts, ['a', 'b', 'c'])
})

test('following ends at the time that was named, though nothing more is written', async () => {
  using dir = scratch()
  writeFileSync(dir.path, line('a'))
  const clock = systemClock()
  const source = { path: dir.path, isLive: () => true }
  const untilNs = clock.nowNs() + 30_000_000n
  const texts: string[] = []
  for await (const entry of readLog(source, { ...ALL, follow: true, untilNs }, clock)) texts.push(entry.line.toString())
  assert.deepEqual(texts, ['a\n'])
  assert.ok(clock.nowNs() > untilNs)
})

test('attributes come back with their lines', () => {
  const entry = parseLogLine('{"log":"x\\n","stream":"stdout","attrs":{"a b":"c&d","tag":"t"},"time":"2024-01-01T00:00:00Z"}')
  assert.deepEqual(entry?.attributes, { 'a b': 'c&d', tag: 't' })
  assert.equal(attributesText(entry?.attributes ?? {}), 'a+b=c%26d,tag=t')
})

test('a log that was never written is empty', async () => {
  using dir = scratch()
  assert.deepEqual(await collect(dir.path), [])
})

test('times survive the way to text and back to the nanosecond', () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }), (ns) => timeNs(formatTimeNs(ns)) === ns))
})
