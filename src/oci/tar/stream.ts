import type { TarEntry } from './entry.ts'
import { tarError } from './errors.ts'
import { tarMachine } from './machine.ts'

/** An entry of an archive that streams by. */
export interface StreamedEntry {
  readonly entry: TarEntry
  /** A file's bytes, read at most once and before the next entry is asked for; what is left of them is skipped. */
  readonly body: AsyncIterable<Buffer>
}

/**
 * Entries with their bytes, one after the other, of an archive that can be read only once; no more than one chunk of it is held. Throws what
 * `scanTar` throws, and whatever the source throws, as often as it is asked.
 */
export async function* streamTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<StreamedEntry, void, undefined> {
  const machine = tarMachine()
  const input = openInput(source)
  try {
    for (;;) {
      while (input.position < machine.position && (await input.more())) input.take(machine.position - input.position)
      const wanted = await gather(input, machine.wantedBytes)
      if (wanted === undefined) break
      const entry = machine.feed(wanted, 0)
      if (entry !== undefined) yield { entry, body: bodyOf(input, entry) }
    }
    machine.end(input.position)
  } finally {
    await input.close()
  }
}

interface Input {
  /** Of the next byte, in the archive. */
  readonly position: number
  /** Whether there is a byte to take. */
  more(): Promise<boolean>
  /** At most so many bytes, of the chunk at hand. */
  take(maxBytes: number): Buffer
  readonly hasChunk: boolean
  close(): Promise<void>
}

function openInput(source: AsyncIterable<Uint8Array>): Input {
  const iterator = source[Symbol.asyncIterator]()
  let chunk: Buffer = Buffer.alloc(0)
  let position = 0
  let ended: Promise<boolean> | undefined
  const read = async (): Promise<boolean> => {
    while (chunk.length === 0) {
      const { done, value } = await iterator.next()
      if (done === true) return false
      chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
    return true
  }
  return {
    get position() {
      return position
    },
    get hasChunk() {
      return chunk.length > 0
    },
    more: async () => {
      if (chunk.length > 0) return true
      // An end and a failure are final, whoever has seen them first.
      if (ended !== undefined) return await ended
      const reading = read()
      const hasMore = await reading.catch(() => false)
      if (!hasMore) ended = reading
      return await reading
    },
    take: (maxBytes) => {
      const taken = chunk.subarray(0, maxBytes)
      chunk = chunk.subarray(taken.length)
      position += taken.length
      return taken
    },
    close: async () => void (await iterator.return?.()),
  }
}

/** Undefined when the archive ends before. */
async function gather(input: Input, wantedBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let missing = wantedBytes
  while (missing > 0) {
    if (!(await input.more())) return undefined
    const part = input.take(missing)
    missing -= part.length
    // Whoever sends may take the memory of a chunk back when the next one is asked for.
    parts.push(missing > 0 ? Buffer.from(part) : part)
  }
  const [first] = parts
  return parts.length === 1 ? first : Buffer.concat(parts)
}

function bodyOf(input: Input, entry: TarEntry): AsyncIterable<Buffer> {
  const end = entry.dataOffset + entry.size
  const taken = (): IteratorResult<Buffer, undefined> => ({ done: false, value: input.take(end - input.position) })
  const next = (): Promise<IteratorResult<Buffer, undefined>> => {
    if (input.position >= end) return Promise.resolve({ done: true, value: undefined })
    if (input.hasChunk) return Promise.resolve(taken())
    return input.more().then((hasMore) => {
      if (hasMore) return taken()
      throw tarError('tar.truncated', `tar: ends at byte ${input.position}, before byte ${end}, where a file ends`)
    })
  }
  return { [Symbol.asyncIterator]: () => ({ next }) }
}
