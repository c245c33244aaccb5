import { stat, open, type FileHandle } from 'node:fs/promises'
import { watch } from 'node:fs'
import { dirname } from 'node:path'

import { systemCodeOf } from '#base'

import { parseLogLine, timeNs } from './line.ts'
import type { LogEntry, LogReadOptions, LogSource } from './port.ts'
import { offsetOfLastLines } from './tail.ts'

/** One line holds at most 16 KiB of output; escaped it may grow six times. Longer is damage and is skipped. */
const MAX_LINE_BYTES = 1024 * 1024
const READ_BYTES = 64 * 1024
/** Rotation beyond this many files is not written, so it is not looked for. */
const MAX_FILES = 100
/** A watch may miss a write that comes between reading and waiting; look again this often. */
const FOLLOW_POLL_MS = 500

/** Reads a container's log from its json-file files, oldest first, across rotation, and follows it if asked. */
export async function* readLog(
  source: LogSource,
  options: LogReadOptions,
  sleep: (ms: number) => Promise<void>,
): AsyncGenerator<LogEntry> {
  const files = await existingFiles(source.path)
  const start = await startOf(files, options.tail)
  for (let i = start.index; i < files.length - 1; i += 1) {
    const file = files[i]
    if (file === undefined) continue
    yield* pick(linesOf(file, i === start.index ? start.offset : 0), options)
  }
  yield* pick(newestLines(source, start.index >= files.length - 1 ? start.offset : 0, options, sleep), options)
}

/** Oldest first. */
async function existingFiles(path: string): Promise<readonly string[]> {
  const files = [path]
  for (let i = 1; i < MAX_FILES; i += 1) {
    if ((await stat(`${path}.${i}`).catch(() => undefined)) === undefined) break
    files.unshift(`${path}.${i}`)
  }
  return files
}

async function startOf(files: readonly string[], tail: number | null): Promise<{ index: number; offset: number }> {
  if (tail === null) return { index: 0, offset: 0 }
  let wanted = tail
  for (let index = files.length - 1; index >= 0; index -= 1) {
    const file = files[index]
    if (file === undefined) break
    const { offset, found } = await offsetOfLastLines(file, wanted).catch(absent)
    wanted -= found
    if (wanted <= 0) return { index, offset }
  }
  return { index: 0, offset: 0 }
}

function absent(error: unknown): { offset: number; found: number } {
  if (systemCodeOf(error) === 'ENOENT') return { offset: 0, found: 0 }
  throw error
}

async function* pick(lines: AsyncIterable<string>, options: LogReadOptions): AsyncGenerator<LogEntry> {
  for await (const text of lines) {
    const entry = parseLogLine(text)
    if (entry === undefined || !(entry.stream === 'stdout' ? options.stdout : options.stderr)) continue
    if (options.sinceNs !== null && timeNs(entry.time) < options.sinceNs) continue
    if (options.untilNs !== null && timeNs(entry.time) > options.untilNs) return
    yield entry
  }
}

async function* linesOf(path: string, offset: number): AsyncGenerator<string> {
  const handle = await open(path).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (handle === undefined) return
  await using file = handle
  const reader = lineReader(file, offset)
  for (;;) {
    const lines = await reader.next()
    if (lines === null) return
    yield* lines
  }
}

/** The file being written: at its end either stop, or wait for more and step over to the new file after a rotation. */
async function* newestLines(
  source: LogSource,
  offset: number,
  options: LogReadOptions,
  sleep: (ms: number) => Promise<void>,
): AsyncGenerator<string> {
  let at = offset
  for (;;) {
    const handle = await open(source.path).catch(() => undefined)
    if (handle === undefined) {
      if (!options.follow || !source.isLive() || isAborted(options)) return
      await sleep(FOLLOW_POLL_MS / 10)
      continue
    }
    await using file = handle
    const { ino } = await file.stat()
    const reader = lineReader(file, at)
    using changes = watchChanges(source.path)
    for (;;) {
      const wasLive = source.isLive()
      const lines = await reader.next()
      if (lines !== null) {
        yield* lines
        continue
      }
      if (!options.follow || isAborted(options)) return
      const current = await stat(source.path).catch(() => undefined)
      if (current !== undefined && current.ino !== ino) {
        // Whatever was appended between the last read and the rotation is still in the old file.
        for (let late = await reader.next(); late !== null; late = await reader.next()) yield* late
        break
      }
      if (!wasLive) return
      await Promise.race([changes.next(), sleep(FOLLOW_POLL_MS), aborted(options)])
    }
    at = 0
  }
}

function isAborted(options: LogReadOptions): boolean {
  return options.signal?.aborted === true
}

async function aborted(options: LogReadOptions): Promise<void> {
  const { signal } = options
  if (signal === undefined) return await new Promise(() => undefined)
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

function watchChanges(path: string): Disposable & { next(): Promise<void> } {
  let wake = () => undefined as void
  const watcher = watch(dirname(path), () => wake())
  watcher.on('error', () => undefined)
  return {
    next: () =>
      new Promise((resolve) => {
        wake = resolve
      }),
    [Symbol.dispose]: () => watcher.close(),
  }
}

/** Complete lines as they appear; null when there is no more for now. A cut line waits until its rest is written. */
function lineReader(file: FileHandle, offset: number): { next(): Promise<readonly string[] | null> } {
  let position = offset
  let rest = Buffer.alloc(0)
  const chunk = Buffer.alloc(READ_BYTES)
  return {
    next: async () => {
      const { bytesRead } = await file.read(chunk, 0, READ_BYTES, position)
      if (bytesRead === 0) return null
      position += bytesRead
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
      const end = bytes.lastIndexOf(0x0a)
      rest = bytes.subarray(end + 1)
      if (rest.length > MAX_LINE_BYTES) rest = Buffer.alloc(0)
      return end < 0 ? [] : bytes.toString('utf8', 0, end).split('\n')
    },
  }
}
