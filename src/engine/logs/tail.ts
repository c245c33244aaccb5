import type { FileHandle } from 'node:fs/promises'

/** Read backwards in pieces of this size: a screenful of lines comes with one read. */
const CHUNK_BYTES = 64 * 1024

/** Byte offset of the start of the last `lines` lines of a file, and how many there are (fewer when the file is short). */
export async function offsetOfLastLines(
  file: FileHandle,
  lines: number,
): Promise<{ readonly offset: number; readonly found: number }> {
  const { size } = await file.stat()
  if (lines <= 0 || size === 0) return { offset: size, found: 0 }
  let end = size
  let found = 0
  const chunk = Buffer.alloc(CHUNK_BYTES)
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES)
    const { bytesRead } = await file.read(chunk, 0, end - start, start)
    for (let i = bytesRead - 1; i >= 0; i -= 1) {
      // The line end that closes the file belongs to its last line.
      if (chunk[i] !== 0x0a || start + i === size - 1) continue
      found += 1
      if (found === lines) return { offset: start + i + 1, found }
    }
    end = start
  }
  return { offset: 0, found: found + 1 }
}
