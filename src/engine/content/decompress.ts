import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib'

import { GloveboxError, messageOf } from '#base'
import type { LayerCompression } from '#oci/image'

import { chunksOf } from './chunks-of.ts'
import { contentError } from './errors.ts'
import { givingBack } from './give-back.ts'
import { CHUNK_BYTES, MAX_RATIO, MAX_ZSTD_WINDOW_LOG, RATIO_FREE_BYTES } from './limits.ts'

export type ByteSource = AsyncIterable<Uint8Array>

const MAGIC: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
  ['bzip2', [0x42, 0x5a, 0x68]],
]
const MAGIC_BYTES = 4

/** Looks at the first bytes. The source that comes back still has them. Errors: `content.compression_unsupported`. */
export async function sniff(source: ByteSource, what: string): Promise<{ compression: LayerCompression; source: ByteSource }> {
  const { head, source: whole } = await peek(source, MAGIC_BYTES)
  return { compression: compressionOf(head, what), source: whole }
}

/** At least so many of the first bytes, where there are so many. The source that comes back still has them. */
export async function peek(source: ByteSource, wantedBytes: number): Promise<{ head: Buffer; source: ByteSource }> {
  const iterator = source[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length < wantedBytes) {
    const next = await iterator.next()
    if (next.done === true) break
    length += next.value.length
    // Only the last one is sure to be there still when the next is asked for.
    chunks.push(length < wantedBytes ? Buffer.from(next.value) : next.value)
  }
  const head = Buffer.concat(chunks.map((chunk) => chunk.subarray(0, wantedBytes)))
  return { head, source: rejoin(chunks, iterator) }
}

function compressionOf(first: Uint8Array, what: string): LayerCompression {
  const name = MAGIC.find(([, bytes]) => bytes.every((byte, index) => first[index] === byte))?.[0]
  if (name === undefined) return 'none'
  if (name === 'gzip' || name === 'zstd') return name
  throw contentError('content.compression_unsupported', `${what} is compressed with ${name}`, {
    hint: 'Unpack it first, or compress it with gzip or zstd.',
  })
}

/** Passes promises through instead of waiting for them: a layer comes in thousands of chunks. */
function rejoin(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): ByteSource {
  const first = [...head]
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const value = first.shift()
        return value === undefined ? rest.next() : Promise.resolve({ done: false, value })
      },
      return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
    }),
  }
}

/**
 * Several gzip members or zstd frames in a row are one stream; anything else after the end is refused, because readers differ in what they
 * make of it. Errors: `content.compression_invalid`, `content.bomb`, and whatever the source throws.
 */
export function decompressed(source: ByteSource, compression: LayerCompression, what: string): ByteSource {
  return compression === 'none' ? source : inflated(source, compression, what)
}

/** The same for whoever has done with a chunk when he asks for the next: its memory is given back then. */
export function decompressedOnce(source: ByteSource, compression: LayerCompression, what: string): ByteSource {
  return compression === 'none' ? source : givingBack(inflated(source, compression, what), isLastOfBlock)
}

/** Decoders fill a block from its beginning to its end and take another one then; streams join what was not fetched in time. */
function isLastOfBlock({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  const isBlock = buffer.byteLength === CHUNK_BYTES && byteOffset + byteLength === CHUNK_BYTES
  return isBlock || buffer.byteLength === byteLength
}

async function* inflated(source: ByteSource, compression: 'gzip' | 'zstd', what: string): AsyncGenerator<Uint8Array> {
  const input = countedInput(source)
  let outBytes = 0
  try {
    for await (const chunk of members(input, compression)) {
      outBytes += chunk.length
      if (outBytes > RATIO_FREE_BYTES && outBytes > input.takenBytes * MAX_RATIO) throw bomb(what, outBytes, input.takenBytes)
      yield chunk
    }
  } catch (error) {
    if (error instanceof GloveboxError) throw error
    throw contentError('content.compression_invalid', `${what} is not valid ${compression}: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    await input.close()
  }
}

interface CountedInput {
  readonly takenBytes: number
  next(): Promise<Uint8Array | undefined>
  close(): Promise<void>
}

function countedInput(source: ByteSource): CountedInput {
  const iterator = source[Symbol.asyncIterator]()
  let takenBytes = 0
  return {
    get takenBytes() {
      return takenBytes
    },
    next: async () => {
      const { done, value } = await iterator.next()
      if (done === true) return undefined
      takenBytes += value.length
      return value
    },
    close: async () => void (await iterator.return?.()),
  }
}

/** Node's decoder stops after one zstd frame, so each member gets its own where the bytes do not show that the last one goes on. */
async function* members(input: CountedInput, compression: 'gzip' | 'zstd'): AsyncGenerator<Uint8Array> {
  let rest = (await input.next()) ?? new Uint8Array()
  for (;;) {
    const decoder = makeDecoder(compression)
    try {
      const feeding = feed(decoder, rest, input)
      feeding.catch((error: unknown) => decoder.destroy(error instanceof Error ? error : new Error(messageOf(error))))
      yield* chunksOf(decoder)
      const left = await feeding
      if (left === undefined) return
      rest = left
    } finally {
      decoder.destroy()
    }
  }
}

type Decoder = Gunzip | ZstdDecompress

function makeDecoder(compression: 'gzip' | 'zstd'): Decoder {
  if (compression === 'gzip') return createGunzip({ chunkSize: CHUNK_BYTES })
  return createZstdDecompress({ chunkSize: CHUNK_BYTES, params: { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG } })
}

/** Gives what the decoder left of a chunk because its member ended inside it, or undefined when the input is at its end. */
async function feed(decoder: Decoder, first: Uint8Array, input: CountedInput): Promise<Uint8Array | undefined> {
  let chunk: Uint8Array | undefined = first
  while (chunk !== undefined) {
    const before = decoder.bytesWritten
    await write(decoder, chunk)
    const used = decoder.bytesWritten - before
    if (used < chunk.length) return chunk.subarray(used)
    chunk = await input.next()
  }
  decoder.end()
  return undefined
}

function write(decoder: Decoder, chunk: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  decoder.write(chunk, (error) => (error === null || error === undefined ? resolve() : reject(error)))
  return promise
}

function bomb(what: string, outBytes: number, inBytes: number): GloveboxError {
  return contentError('content.bomb', `${what} grows more than ${MAX_RATIO} times: ${outBytes} bytes so far, out of ${inBytes}`, {
    hint: 'If you trust it, decompress it yourself and load the plain file.',
  })
}
