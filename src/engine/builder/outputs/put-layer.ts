import { rm } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { constants, createGzip, createZstdCompress } from 'node:zlib'

import type { Digest } from '#base'
import { verifier } from '#oci/digest'

import type { BlobBody, BlobOf, BlobPlace, BuildPorts } from '../ports.ts'
import type { LayerForm } from './output.ts'

/** A layer as it leaves the machine. */
export interface FormedLayer extends BlobOf, BlobBody, AsyncDisposable {}

type StoredLayer = { readonly diffId: Digest; readonly sizeBytes: number }

/** Has a layer at a place, in the form asked for; what is there already is not sent. */
export async function putLayer(
  ports: Pick<BuildPorts, 'exchange' | 'random' | 'spoolDirectory'>,
  place: BlobPlace,
  layer: StoredLayer,
  form: LayerForm,
): Promise<BlobOf> {
  // In the registry's own form nothing has to be compressed that was pushed or pulled before.
  if (place.pushLayer !== undefined && form.compression === 'gzip' && form.level === undefined)
    return await place.pushLayer(layer)
  await using formed = await formLayer(ports, layer, form)
  const { digest, sizeBytes, compression } = formed
  if (!(await place.has(digest))) await place.put(digest, formed)
  return { digest, sizeBytes, compression }
}

/** Compressed into a file that lives until it is disposed of: its digest and size have to be known before it is sent. */
export async function formLayer(
  { exchange, random, spoolDirectory }: Pick<BuildPorts, 'exchange' | 'random' | 'spoolDirectory'>,
  { diffId, sizeBytes }: StoredLayer,
  { compression, level }: LayerForm,
): Promise<FormedLayer> {
  const body = exchange.layer(diffId)
  if (compression === 'none')
    return { digest: diffId, sizeBytes, compression, open: () => body.open(), [Symbol.asyncDispose]: async () => undefined }
  const path = join(spoolDirectory, `layer-${random.bytes(8).toString('hex')}`)
  const remove = async () => await rm(path, { force: true })
  try {
    const written = await writeCompressed(path, body, compression, level)
    return { ...written, compression, open: () => createReadStream(path), [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function writeCompressed(path: string, body: BlobBody, compression: 'gzip' | 'zstd', level: number | undefined) {
  const codec =
    compression === 'gzip'
      ? createGzip(level === undefined ? {} : { level })
      : createZstdCompress(level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } })
  const check = verifier({}, 'compressed layer')
  await using file = await open(path, 'wx', 0o600)
  for await (const chunk of Readable.from(body.open(), { objectMode: false }).compose(codec)) {
    check.update(chunk as Buffer)
    await file.write(chunk as Buffer)
  }
  return check.finish()
}
