import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'

import type { Digest } from '#base'
import { CHUNK_BYTES, fileWriter } from '#engine/content'
import { verifier } from '#oci/digest'

import type { RequestBody } from './wire.ts'

/** A compressed layer on the disk for as long as it is being sent: its digest is part of the request that sends it. */
export interface CompressedLayer extends RequestBody, AsyncDisposable {
  readonly digest: Digest
}

/** zlib's own default; what dockerd uses. The header has no time and no name in it, so that the same layer gives the same bytes. */
const LEVEL = 6

/** Errors: `content.disk_full`, and what the source throws. `onProgress` counts what went in. */
export async function compressLayer(
  source: Readable,
  path: string,
  onProgress: (takenBytes: number) => void,
): Promise<CompressedLayer> {
  const check = verifier({}, 'compressed layer')
  const gzip = createGzip({ level: LEVEL, chunkSize: CHUNK_BYTES })
  await using file = await fileWriter(path)
  source.on('error', (error) => gzip.destroy(error))
  source.pipe(gzip)
  try {
    for await (const chunk of gzip as AsyncIterable<Buffer>) {
      check.update(chunk)
      await file.write(chunk)
      onProgress(gzip.bytesWritten)
    }
  } finally {
    source.destroy()
    gzip.destroy()
  }
  await file.keep()
  return {
    ...check.finish(),
    open: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }),
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  }
}
