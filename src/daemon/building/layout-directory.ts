import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'

import { systemCodeOf, type Digest } from '#base'
import { buildError, type BlobPlace } from '#engine/builder'
import { digestHex, digestOf, isDigest, parseDigest } from '#oci/digest'
import { isObject, MAX_MANIFEST_BYTES, parseManifest, parseStrictJson, type JsonObject } from '#oci/image'

const REF_NAME = 'org.opencontainers.image.ref.name'

/**
 * An OCI layout in a directory of this machine (image-spec, image-layout.md). Blobs are written beside and renamed, the index last, so that
 * what is named is there. Two builds that write to one directory at a time each leave it whole; the index of the later one stays.
 */
export function layoutDirectory(path: string): BlobPlace {
  if (!isAbsolute(path)) throw buildError('build.output_invalid', `the directory ${JSON.stringify(path)} is not an absolute path`)
  const blobPath = (digest: Digest) => join(path, 'blobs', 'sha256', digestHex(parseDigest(digest)))
  const put = async (digest: Digest, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> => {
    await mkdir(join(path, 'blobs', 'sha256'), { recursive: true })
    await replace(blobPath(digest), chunks)
  }
  const manifestBytes = async (reference: string): Promise<{ bytes: Buffer; mediaType: string | null } | undefined> => {
    const entry = isDigest(reference) ? { digest: reference, mediaType: null } : await entryOf(path, reference)
    if (entry === undefined || !existsSync(blobPath(entry.digest))) return undefined
    const bytes = await readBounded(blobPath(entry.digest))
    if (digestOf(bytes) !== entry.digest)
      throw buildError('build.cache_invalid', `${blobPath(entry.digest)} has the bytes of ${digestOf(bytes)}`)
    return { bytes, mediaType: entry.mediaType }
  }
  return {
    name: path,
    manifest: async (reference) => {
      const found = await manifestBytes(reference)
      return found === undefined ? undefined : parseManifest(found.bytes, found.mediaType, `manifest ${reference} in ${path}`)
    },
    blob: ({ digest }) => {
      if (!isDigest(digest.text) || !existsSync(blobPath(digest.text)))
        throw buildError('build.cache_invalid', `${path} lacks the blob ${digest.text}`)
      return createReadStream(blobPath(digest.text))
    },
    has: async (digest) => await Promise.resolve(existsSync(blobPath(digest))),
    put: async (digest, body) => await put(digest, Buffer.isBuffer(body) ? [body] : body.open()),
    putManifest: async (reference, mediaType, bytes) => {
      const digest = digestOf(bytes)
      await put(digest, [bytes])
      if (isDigest(reference)) return
      const kept = (await readIndex(path)).filter((entry) => refOf(entry) !== reference)
      const entry = { mediaType, digest, size: bytes.length, annotations: { [REF_NAME]: reference } }
      const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [...kept, entry] }
      await replace(join(path, 'oci-layout'), [Buffer.from(JSON.stringify({ imageLayoutVersion: '1.0.0' }))])
      await replace(join(path, 'index.json'), [Buffer.from(JSON.stringify(index))])
    },
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  }
}

async function entryOf(path: string, reference: string): Promise<{ digest: Digest; mediaType: string | null } | undefined> {
  const entry = (await readIndex(path)).find((one) => refOf(one) === reference)
  const { digest, mediaType } = entry ?? {}
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined
  return { digest, mediaType: typeof mediaType === 'string' ? mediaType : null }
}

/** Empty when there is no layout yet. */
async function readIndex(path: string): Promise<readonly JsonObject[]> {
  try {
    const index = parseStrictJson(await readBounded(join(path, 'index.json')), `${path}/index.json`)
    const manifests = isObject(index) ? index['manifests'] : undefined
    return Array.isArray(manifests) ? manifests.filter(isObject) : []
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return []
    throw error
  }
}

function refOf(entry: JsonObject): unknown {
  const annotations = entry['annotations']
  return isObject(annotations) ? annotations[REF_NAME] : undefined
}

async function readBounded(path: string): Promise<Buffer> {
  const bytes = await readFile(path)
  if (bytes.length <= MAX_MANIFEST_BYTES) return bytes
  throw buildError('build.cache_invalid', `${path} has ${bytes.length} bytes, more than ${MAX_MANIFEST_BYTES}`)
}

/** Whole or not at all. */
async function replace(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  const half = `${path}.${process.pid}.new`
  try {
    await using file = await open(half, 'wx', 0o644)
    for await (const chunk of chunks) await file.write(chunk)
    await file.sync()
    await rename(half, path)
  } catch (error) {
    await rm(half, { force: true })
    throw error
  }
}
