import type { FileHandle } from 'node:fs/promises'

/** One line holds at most 16 KiB of output, escaped six times as much, and 16 KiB of attributes. Longer is damage and is skipped. */
const MAX_LINE_BYTES = 1024 * 1024
const READ_BYTES = 64 * 1024

/** Complete lines as they appear; null when there is no more for now. A cut line waits until its rest is written. */
export interface LineReader {
  next(): Promise<readonly string[] | null>
}

export function lineReader(file: FileHandle, offset: number): LineReader {
  let position = offset
  const lines = lineSplitter()
  const chunk = Buffer.alloc(READ_BYTES)
  return {
    next: async () => {
      let { bytesRead } = await file.read(chunk, 0, READ_BYTES, position)
      if (bytesRead === 0 && (await file.stat()).size < position) {
        // A log of a single file starts anew in place.
        position = 0
        lines.forget()
        bytesRead = (await file.read(chunk, 0, READ_BYTES, position)).bytesRead
      }
      if (bytesRead === 0) return null
      position += bytesRead
      return lines.take(chunk.subarray(0, bytesRead))
    },
  }
}

/** The lines of a stream, as many at a time as come together; what follows the last line end is left out. */
export async function* splitLines(stream: AsyncIterable<unknown>): AsyncGenerator<readonly string[]> {
  const lines = lineSplitter()
  for await (const chunk of stream) yield lines.take(chunk as Buffer)
}

function lineSplitter() {
  let rest = Buffer.alloc(0)
  return {
    forget: () => {
      rest = Buffer.alloc(0)
    },
    take: (chunk: Buffer): readonly string[] => {
      const bytes = Buffer.concat([rest, chunk])
      const end = bytes.lastIndexOf(0x0a)
      rest = bytes.subarray(end + 1)
      if (rest.length > MAX_LINE_BYTES) rest = Buffer.alloc(0)
      return end < 0 ? [] : bytes.toString('utf8', 0, end).split('\n')
    },
  }
}
