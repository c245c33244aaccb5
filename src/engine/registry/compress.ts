import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { GloveboxError, type Digest } from '#base'
import { CHUNK_BYTES, fileWriter, writeFailure } from '#engine/content'
import { verifier } from '#oci/digest'

import { igzipped } from './igzip.ts'
import type { RequestBody } from './wire.ts'

/** A compressed layer on the disk for as long as it is being sent: its digest is part of the request that sends it. */
export interface CompressedLayer extends RequestBody, AsyncDisposable {
  readonly digest: Digest
}

/** Half of the time of zlib's default (6), for five percent more bytes, on 100 MB of libraries. */
const LEVEL = 3
/** Each block becomes a gzip member of its own, so that several cores work on one layer; larger ones would gain less than a thousandth. */
const BLOCK_BYTES = 4 * 1024 * 1024
/** Node's pool has four threads, and the disk needs one. */
const MAX_BLOCKS_AT_ONCE = 3

const gzipBlock = promisify<Buffer, { readonly level: number }, Buffer>(gzip)

export interface Compression {
  /** The layer's tar. */
  readonly tarPath: string
  /** Of the compressed file; nothing may be there. */
  readonly path: string
  /** `igzip`; undefined: zlib. */
  readonly program: string | undefined
  /** Counts what went in. May throw: that ends it. */
  readonly onProgress: (takenBytes: number) => void
}

/**
 * Compresses a tar to a file as gzip. Times and names stay out of it, so that the same layer gives the same bytes with the same program.
 * Errors: `content.disk_full`, and what `onProgress` throws.
 */
export async function compressLayer(compression: Compression): Promise<CompressedLayer> {
  const { program, path } = compression
  if (program === undefined) return await writeCompressed(path, zlibbed(compression))
  let isStopped = false
  const onProgress = (takenBytes: number) => {
    isStopped = true
    compression.onProgress(takenBytes)
    isStopped = false
  }
  try {
    return await writeCompressed(path, igzipped(program, compression.tarPath, onProgress))
  } catch (error) {
    // A full disk, or nobody wants it any more; else it is the program that failed, and zlib takes its place.
    if (isStopped || error instanceof GloveboxError) throw error
    return await writeCompressed(path, zlibbed(compression))
  }
}

async function writeCompressed(path: string, chunks: AsyncIterable<Buffer>): Promise<CompressedLayer> {
  const check = verifier({}, 'compressed layer')
  await using file = await writing(path, fileWriter(path))
  for await (const chunk of chunks) {
    check.update(chunk)
    const isFull = file.write(chunk)
    if (isFull !== undefined) await writing(path, isFull)
  }
  await writing(path, file.keep())
  return {
    ...check.finish(),
    open: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }),
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  }
}

/** What goes wrong with the file is told apart from what goes wrong with the bytes. */
async function writing<T>(path: string, work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => {
    throw writeFailure(`write ${path}`, error, dirname(path))
  })
}

/** RFC 1952, section 2.2: members in a row are one stream. */
async function* zlibbed({ tarPath, onProgress }: Compression): AsyncGenerator<Buffer> {
  let takenBytes = 0
  for await (const { compressed, plainBytes } of compressBlocks(createReadStream(tarPath, { highWaterMark: CHUNK_BYTES }))) {
    yield compressed
    takenBytes += plainBytes
    onProgress(takenBytes)
  }
}

interface Block {
  readonly compressed: Buffer
  readonly plainBytes: number
}

/** Several blocks at a time, given in order. */
async function* compressBlocks(source: AsyncIterable<Buffer>): AsyncGenerator<Block> {
  const atOnce = Math.min(MAX_BLOCKS_AT_ONCE, availableParallelism())
  const underWay: Promise<Block>[] = []
  for await (const block of blocksOf(source)) {
    const working = gzipBlock(block, { level: LEVEL }).then((compressed) => ({ compressed, plainBytes: block.length }))
    // Awaited below, perhaps after another has failed.
    working.catch(() => undefined)
    underWay.push(working)
    const first = underWay.length >= atOnce ? underWay.shift() : undefined
    if (first !== undefined) yield await first
  }
  for (const working of underWay) yield await working
}

/** All of the same size but the last; an empty source is one empty block, for an empty file is no gzip. */
async function* blocksOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = []
  let gathered = 0
  let isEmpty = true
  for await (let chunk of source) {
    while (gathered + chunk.length >= BLOCK_BYTES) {
      const cut = BLOCK_BYTES - gathered
      yield Buffer.concat([...chunks, chunk.subarray(0, cut)])
      isEmpty = false
      chunk = chunk.subarray(cut)
      chunks = []
      gathered = 0
    }
    if (chunk.length > 0) chunks.push(chunk)
    gathered += chunk.length
  }
  if (gathered > 0 || isEmpty) yield Buffer.concat(chunks)
}
