import { open, type FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

import { systemCodeOf } from '#base'

import { lineReader, splitLines } from './lines.ts'
import { offsetOfLastLines } from './tail.ts'

/** Rotation beyond this many files is not written, so it is not looked for. */
const MAX_FILES = 1000
const READ_BYTES = 64 * 1024

/** One file of a log, open: what it is called may change at any time. */
export interface LogFile extends AsyncDisposable {
  readonly handle: FileHandle
  readonly inode: number
  readonly isCompressed: boolean
}

/** Where to begin reading a file: a byte, or in a compressed one a number of lines to skip. */
export interface LogStart {
  readonly offset: number
  readonly skipLines: number
}

export const FROM_START: LogStart = { offset: 0, skipLines: 0 }

/**
 * All files of a log, oldest first. They are opened from the newest to the oldest: a rotation meanwhile makes one appear twice, which is seen by
 * its inode, and none is missed.
 */
export async function openFiles(path: string): Promise<readonly LogFile[]> {
  const files: LogFile[] = []
  const add = (file: LogFile | undefined) => {
    if (file !== undefined && !files.some(({ inode }) => inode === file.inode)) files.unshift(file)
    else void file?.[Symbol.asyncDispose]()
  }
  add(await openFile(path, false))
  for (let number = 1; number < MAX_FILES; number += 1) {
    const file = (await openFile(`${path}.${number}`, false)) ?? (await openFile(`${path}.${number}.gz`, true))
    if (file === undefined) break
    add(file)
  }
  return files
}

export async function openFile(path: string, isCompressed: boolean): Promise<LogFile | undefined> {
  try {
    const handle = await open(path)
    const { ino } = await handle.stat()
    return { handle, inode: ino, isCompressed, [Symbol.asyncDispose]: async () => await handle.close() }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** All lines that are there now. */
export async function* linesOf(file: LogFile, start: LogStart): AsyncGenerator<string> {
  if (file.isCompressed) return yield* unpackedLines(file, start.skipLines)
  const reader = lineReader(file.handle, start.offset)
  for (let lines = await reader.next(); lines !== null; lines = await reader.next()) yield* lines
}

async function* unpackedLines({ handle }: LogFile, skipLines: number): AsyncGenerator<string> {
  const packed = Readable.from(bytesOf(handle))
  const plain = createGunzip()
  packed.on('error', (error) => plain.destroy(error))
  packed.pipe(plain)
  let left = skipLines
  try {
    for await (const lines of splitLines(plain)) {
      if (left >= lines.length) left -= lines.length
      else {
        yield* left === 0 ? lines : lines.slice(left)
        left = 0
      }
    }
  } catch (error) {
    // A file that a power loss cut short gives what it has.
    if (!(systemCodeOf(error) ?? '').startsWith('Z_')) throw error
  } finally {
    packed.destroy()
  }
}

async function* bytesOf(handle: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** Which of the files the last `tail` lines begin in, and where; null: all lines. */
export async function startOf(files: readonly LogFile[], tail: number | null): Promise<{ index: number; start: LogStart }> {
  if (tail === null) return { index: 0, start: FROM_START }
  let wanted = tail
  for (let index = files.length - 1; index >= 0; index -= 1) {
    const file = files[index]
    if (file === undefined) break
    const { found, start } = await lastLines(file, wanted)
    wanted -= found
    if (wanted <= 0) return { index, start }
  }
  return { index: 0, start: FROM_START }
}

async function lastLines(file: LogFile, lines: number): Promise<{ readonly found: number; readonly start: LogStart }> {
  if (!file.isCompressed) {
    const { offset, found } = await offsetOfLastLines(file.handle, lines)
    return { found, start: { offset, skipLines: 0 } }
  }
  if (lines <= 0) return { found: 0, start: { offset: 0, skipLines: Infinity } }
  let count = 0
  for await (const _line of unpackedLines(file, 0)) count += 1
  return { found: Math.min(count, lines), start: { offset: 0, skipLines: Math.max(0, count - lines) } }
}

/**
 * Which of the files is `known` under its present name: the same inode, or a compressed copy, which says how large the original was
 * (RFC 1952, section 2.3.1, ISIZE). -1: it is gone.
 */
export async function indexOfFile(files: readonly LogFile[], known: LogFile): Promise<number> {
  const { size } = await known.handle.stat()
  for (const [index, file] of files.entries()) {
    if (file.inode === known.inode) return index
    if (file.isCompressed && (await unpackedSize(file.handle)) === size % 2 ** 32) return index
  }
  return -1
}

async function unpackedSize(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat()
  const trailer = Buffer.alloc(4)
  const { bytesRead } = await handle.read(trailer, 0, 4, Math.max(0, size - 4))
  return bytesRead === 4 ? trailer.readUInt32LE() : -1
}
