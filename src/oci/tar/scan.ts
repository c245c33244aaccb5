import type { TarEntry } from './entry.ts'
import { tarMachine } from './machine.ts'

/** Reads up to `buffer.length` bytes at `position`; gives their number, 0 at the end. */
export type ReadAt = (buffer: Buffer, position: number) => number

/** Large enough that small files come with their neighbours' headers, small enough that skipping a big body pays. */
const WINDOW_BYTES = 8 * 1024

/**
 * Entries of an archive that can be read at any position; bodies in between are not read. Stops, by throwing `tar.*`, at the first
 * thing that tar readers disagree on. `totalBytes` is the size of the archive.
 */
export function* scanTar(readAt: ReadAt, totalBytes: number): Generator<TarEntry, void, undefined> {
  const machine = tarMachine()
  let window: Buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  let start = 0
  let end = 0
  while (machine.position + machine.wantedBytes <= totalBytes) {
    const { position, wantedBytes } = machine
    if (position < start || position + wantedBytes > end) {
      if (wantedBytes > window.length) window = Buffer.allocUnsafeSlow(wantedBytes)
      start = position
      end = position + fill(readAt, window, position, wantedBytes)
      if (end < position + wantedBytes) break
    }
    const entry = machine.feed(window, position - start)
    if (entry !== undefined) yield entry
  }
  machine.end(Math.max(totalBytes, 0))
}

/** At least `wantedBytes` unless the file ends before. */
function fill(readAt: ReadAt, window: Buffer, position: number, wantedBytes: number): number {
  let filled = readAt(window, position)
  while (filled < wantedBytes) {
    const more = readAt(window.subarray(filled), position + filled)
    if (more === 0) return filled
    filled += more
  }
  return filled
}

/** Takes an archive as it streams by, in chunks of any size. Throws `tar.*` as `scanTar` does; after that it takes nothing more. */
export interface TarPushScanner {
  push(chunk: Buffer): void
  /** All has been pushed. */
  end(): void
  readonly totalBytes: number
}

export function tarPushScanner(onEntry: (entry: TarEntry) => void): TarPushScanner {
  const machine = tarMachine()
  let totalBytes = 0
  let gathered: Buffer | undefined
  let gatheredBytes = 0

  /** Bytes that lie across chunks are gathered; the machine's bounds limit how many. */
  const gather = (chunk: Buffer, at: number): number => {
    gathered ??= Buffer.allocUnsafe(machine.wantedBytes)
    const taken = chunk.copy(gathered, gatheredBytes, at, at + machine.wantedBytes - gatheredBytes)
    gatheredBytes += taken
    if (gatheredBytes < machine.wantedBytes) return taken
    const full = gathered
    gathered = undefined
    gatheredBytes = 0
    const entry = machine.feed(full, 0)
    if (entry !== undefined) onEntry(entry)
    return taken
  }

  return {
    get totalBytes() {
      return totalBytes
    },
    push: (chunk) => {
      const chunkStart = totalBytes
      totalBytes += chunk.length
      for (;;) {
        const at = machine.position + gatheredBytes - chunkStart
        if (at >= chunk.length) return
        if (gathered === undefined && at + machine.wantedBytes <= chunk.length) {
          const entry = machine.feed(chunk, at)
          if (entry !== undefined) onEntry(entry)
        } else gather(chunk, at)
      }
    },
    end: () => machine.end(totalBytes),
  }
}
