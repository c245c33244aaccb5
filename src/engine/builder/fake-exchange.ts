import { gunzipSync } from 'node:zlib'

import { during, type Digest } from '#base'
import { digestOf, verifier } from '#oci/digest'
import { parseManifest } from '#oci/image'

import type { BlobPlace, BuildExchange, Predicate } from './ports.ts'

const GZIP_MAGIC = 0x1f8b

export interface FakeExchange extends BuildExchange {
  /** What registries and directories hold, by reference without tag, or path. */
  readonly blobs: Map<string, Map<string, Buffer>>
  readonly said: Map<Digest, readonly Predicate[]>
  /** Names of manifests, by place. */
  readonly names: Map<string, Map<string, { readonly digest: Digest; readonly mediaType: string }>>
}

/** Registries and directories in memory. */
export function fakeExchange(layers: Map<Digest, Buffer>): FakeExchange {
  const blobs: FakeExchange['blobs'] = new Map()
  const names: FakeExchange['names'] = new Map()
  const said: FakeExchange['said'] = new Map()
  const place = (name: string): BlobPlace => {
    const mine = blobs.get(name) ?? new Map<string, Buffer>()
    blobs.set(name, mine)
    const named = names.get(name) ?? new Map()
    names.set(name, named)
    return {
      name,
      manifest: async (reference) => {
        const entry = named.get(reference) ?? { digest: reference as Digest, mediaType: null }
        const bytes = mine.get(entry.digest)
        if (bytes === undefined) return undefined
        verify(bytes, entry.digest)
        return parseManifest(bytes, entry.mediaType, reference)
      },
      blob: async function* ({ digest }) {
        yield mine.get(digest.text) ?? Buffer.alloc(0)
      },
      has: async (digest) => mine.has(digest),
      put: async (digest, body) => void mine.set(digest, Buffer.isBuffer(body) ? body : await whole(body.open())),
      putManifest: async (reference, mediaType, bytes) => {
        const digest = digestOf(bytes)
        mine.set(digest, bytes)
        if (!reference.startsWith('sha256:')) named.set(reference, { digest, mediaType })
      },
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
  return {
    blobs,
    names,
    said,
    registry: async (reference) => place(reference.split('@')[0]?.replace(/:[^:/]*$/, '') ?? ''),
    directory: async (path) => place(path),
    layer: (diffId) => {
      const bytes = layers.get(diffId) ?? Buffer.alloc(0)
      return {
        sizeBytes: bytes.length,
        open: async function* () {
          yield bytes
        },
      }
    },
    importLayer: async (source, expected, recorded) => {
      const bytes = await whole(source)
      verify(bytes, expected.digest.text)
      const plain = bytes.readUInt16BE(0) === GZIP_MAGIC ? gunzipSync(bytes) : bytes
      verify(plain, expected.diffId)
      layers.set(expected.diffId, plain)
      await recorded()
    },
    importImage: async (configBytes, given) => {
      for (const { digest, diffId, open } of given) {
        const bytes = await whole(open())
        verify(bytes, digest.text)
        const plain = bytes.readUInt16BE(0) === GZIP_MAGIC ? gunzipSync(bytes) : bytes
        verify(plain, diffId)
        layers.set(diffId, plain)
      }
      return digestOf(configBytes)
    },
    rootTar: async function* (list) {
      for (const diffId of list) yield layers.get(diffId) ?? Buffer.alloc(0)
    },
    attest: (image, predicates) => void said.set(image, predicates),
  }
}

function verify(bytes: Buffer, digest: string): void {
  try {
    const check = verifier({ digests: [digest as Digest] }, 'blob')
    check.update(bytes)
    check.finish()
  } catch (error) {
    throw during('verify', error)
  }
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}
