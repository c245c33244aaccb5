import { openSync, readSync, closeSync, statSync } from 'node:fs'
import { appendFile, rename } from 'node:fs/promises'

import { messageOf, type Log } from '#base'

import type { AccessLine } from './access-lines.ts'

/** A file of one JSON value a line, and older parts beside it. */
export interface AccessLog {
  write(routeId: string, line: AccessLine): void
  /** All that was written is in the file. */
  flush(): Promise<void>
  /** Of the youngest line in the file, from another life; 0: none. */
  readonly lastMs: number
}

const MAX_FILE_BYTES = 16 * 1024 * 1024
const OLD_FILES = 3
/** What waits for a disk that is slow; more is dropped, and counted. */
const MAX_WAITING = 20_000
/** More than the longest line. */
const TAIL_BYTES = 64 * 1024

export function openAccessLog(path: string, log: Log): AccessLog {
  let waiting: string[] = []
  let dropped = 0
  let work: Promise<void> | undefined

  const rotate = async () => {
    if (sizeOf(path) < MAX_FILE_BYTES) return
    for (let number = OLD_FILES - 1; number >= 1; number -= 1) {
      if (sizeOf(`${path}.${number}`) > 0) await rename(`${path}.${number}`, `${path}.${number + 1}`)
    }
    await rename(path, `${path}.1`)
  }
  const drain = async () => {
    try {
      while (waiting.length > 0) {
        const lines = waiting
        waiting = []
        await rotate()
        await appendFile(path, lines.join(''), { mode: 0o640 })
        if (dropped > 0) log.warn('lines of the access log were dropped', { lines: dropped })
        dropped = 0
      }
    } catch (error) {
      log.warn('cannot write the access log', { path, error: messageOf(error) })
    } finally {
      work = undefined
    }
  }
  return {
    write: (routeId, line) => {
      if (waiting.length >= MAX_WAITING) dropped += 1
      else waiting.push(`${JSON.stringify(entryOf(routeId, line))}\n`)
      work ??= drain()
    },
    flush: async () => await work,
    lastMs: lastTime(path),
  }
}

function entryOf(routeId: string, line: AccessLine) {
  const { kind, isForAccessLog: _access, weight: _weight, atMs, section: _section, server, ...rest } = line
  const common = { time: new Date(atMs).toISOString(), route: routeId, backend: server }
  if (kind === 'http') return { ...common, ...rest }
  const { client, totalMs, bytesIn, bytesOut, termination, retries } = rest
  return { ...common, client, totalMs, bytesIn, bytesOut, termination, retries }
}

function lastTime(path: string): number {
  const size = sizeOf(path)
  if (size === 0) return 0
  const file = openSync(path, 'r')
  try {
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
    readSync(file, tail, 0, tail.length, size - tail.length)
    const times = [...tail.toString('utf8').matchAll(/^\{"time":"([^"]+)"/gm)].map((match) => Date.parse(match[1] ?? ''))
    return Math.max(0, ...times.filter((time) => Number.isFinite(time)))
  } finally {
    closeSync(file)
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
