import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

import type { Clock } from '#base'

import { FROM_START, indexOfFile, linesOf, openFile, openFiles, startOf, type LogFile, type LogStart } from './files.ts'
import { parseLogLine, timeNs } from './line.ts'
import { lineReader } from './lines.ts'
import type { LogEntry, LogReadOptions, LogSource } from './port.ts'

/** A watch may miss a write that comes between reading and waiting; look again this often. */
const FOLLOW_POLL_MS = 500
/** A container that has just started makes its log in a moment. */
const FIRST_FILE_POLL_MS = 50

type ReadClock = Pick<Clock, 'sleep' | 'nowNs'>

/**
 * Reads a container's log from its json-file files, oldest first, across rotation and compression, and follows it if asked: to the end of the
 * container, or to `untilNs`.
 */
export async function* readLog(source: LogSource, options: LogReadOptions, clock: ReadClock): AsyncGenerator<LogEntry> {
  for await (const text of allLines(source, options, clock)) {
    const entry = parseLogLine(text)
    if (entry === undefined) continue
    if (options.untilNs !== null && timeNs(entry.time) > options.untilNs) return
    if (!(entry.stream === 'stdout' ? options.stdout : options.stderr)) continue
    if (options.sinceNs !== null && timeNs(entry.time) < options.sinceNs) continue
    yield entry
  }
}

/** The files that are there, the newest among them followed; after a rotation the ones that have come since. */
async function* allLines(source: LogSource, options: LogReadOptions, clock: ReadClock): AsyncGenerator<string> {
  let files = await openFiles(source.path)
  let { index, start } = await startOf(files, options.tail)
  for (;;) {
    await using opened = ownerOf(files)
    for (; index < files.length - 1; index += 1) {
      const file = files[index]
      if (file !== undefined) yield* linesOf(file, start)
      start = FROM_START
    }
    const newest = files[index] ?? opened.use(await firstFile(source, options, clock))
    if (newest === undefined) return
    const isRotated = yield* newestLines(newest, start, { source, options, clock })
    if (!isRotated) return
    const later = await openFiles(source.path)
    const known = await indexOfFile(later, newest)
    for (const file of later.slice(0, known + 1)) await file[Symbol.asyncDispose]()
    files = later.slice(known + 1)
    index = 0
    start = FROM_START
  }
}

function ownerOf(files: readonly LogFile[]): AsyncDisposableStack {
  const owner = new AsyncDisposableStack()
  for (const file of files) owner.use(file)
  return owner
}

/** A log that nothing was written to yet. */
async function firstFile(source: LogSource, options: LogReadOptions, clock: ReadClock): Promise<LogFile | undefined> {
  for (;;) {
    const isLive = source.isLive()
    const file = await openFile(source.path, false)
    if (file !== undefined || !isLive || isOver(options, clock)) return file
    await clock.sleep(FIRST_FILE_POLL_MS)
  }
}

interface Following {
  readonly source: LogSource
  readonly options: LogReadOptions
  readonly clock: ReadClock
}

/** The file being written: at its end either stop, or wait for more. True: it is no longer the one that is written to. */
async function* newestLines(file: LogFile, start: LogStart, following: Following): AsyncGenerator<string, boolean> {
  const { source, options, clock } = following
  if (file.isCompressed) {
    yield* linesOf(file, start)
    return false
  }
  const reader = lineReader(file.handle, start.offset)
  using changes = options.follow ? watchChanges(source.path) : undefined
  for (;;) {
    const wasLive = source.isLive()
    const lines = await reader.next()
    if (lines !== null) {
      yield* lines
      continue
    }
    if (isOver(options, clock)) return false
    const current = await stat(source.path).catch(() => undefined)
    if (current !== undefined && current.ino !== file.inode) {
      // Whatever was appended between the last read and the rotation is still in the old file.
      for (let late = await reader.next(); late !== null; late = await reader.next()) yield* late
      return true
    }
    if (!wasLive) return false
    await Promise.race([changes?.next(), clock.sleep(waitMs(options, clock)), aborted(options)])
  }
}

/** Nobody waits for more: not asked for, hung up, or past the time that was named. */
function isOver({ follow, signal, untilNs }: LogReadOptions, clock: ReadClock): boolean {
  return !follow || signal?.aborted === true || (untilNs !== null && clock.nowNs() > untilNs)
}

function waitMs({ untilNs }: LogReadOptions, clock: ReadClock): number {
  if (untilNs === null) return FOLLOW_POLL_MS
  const leftMs = Number((untilNs - clock.nowNs()) / 1_000_000n) + 1
  return Math.max(1, Math.min(FOLLOW_POLL_MS, leftMs))
}

async function aborted({ signal }: LogReadOptions): Promise<void> {
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
