import { createReadStream } from 'node:fs'

import { isKind, type Digest, type Random, type RecordStore } from '#base'
import type { BlobPlace, BuildExchange, Predicate } from '#engine/builder'
import type { ContentStore } from '#engine/content'
import type { Images } from '#engine/images'
import type { Registries } from '#engine/registry'
import type { Snapshots } from '#engine/snapshots'

import { layoutDirectory } from './layout-directory.ts'

export interface ExchangeNeeds {
  readonly registries: Registries
  readonly images: Images
  readonly content: ContentStore
  readonly snapshots: Snapshots
  readonly store: RecordStore
  readonly random: Random
}

/** What leaves this machine and comes to it beside images, on this engine. */
export function buildExchange(needs: ExchangeNeeds): BuildExchange {
  const { registries, images, content, snapshots, random } = needs
  return {
    registry: async (reference, { use, credentials, signal = new AbortController().signal }) =>
      asPlace(await registries.artifacts({ ref: reference, use, credentials, signal })),
    directory: async (path) => await Promise.resolve(layoutDirectory(path)),
    layer: (diffId) => {
      const path = content.path(diffId)
      return { sizeBytes: content.stat(diffId)?.sizeBytes ?? 0, open: () => createReadStream(path) }
    },
    importLayer: async (source, expected, recorded) => {
      await using transfer = images.transfer()
      if (!transfer.hold(expected.diffId)) await transfer.addLayer(source, expected)
      await recorded()
    },
    importImage: async (configBytes, layers) => {
      await using transfer = images.transfer()
      for (const { digest, sizeBytes, diffId, open } of layers)
        if (!transfer.hold(diffId)) await transfer.addLayer(open(), { digest, sizeBytes, diffId })
      return (await transfer.store(configBytes, [])).id
    },
    rootTar: async function* (layers) {
      const id = `build-export-${random.bytes(16).toString('hex')}`
      try {
        snapshots.mountContainer({ id, layers, readOnly: true })
        yield* snapshots.exportTar(id) as AsyncIterable<Buffer>
      } finally {
        await snapshots.removeContainer(id)
      }
    },
    attest: (image, predicates) => attestations(needs.store, images).put(image, predicates),
  }
}

/** What builds said of images. It goes with the image. */
export function attestations(store: RecordStore, images: Pick<Images, 'find'>) {
  const table = store.table<{ readonly predicates: readonly Predicate[] }>('image-attestation')
  return {
    put: (image: Digest, predicates: readonly Predicate[]): void => {
      for (const [key] of table.entries()) if (images.find(key) === undefined) table.delete(key)
      table.put(image, { predicates })
    },
    get: (ref: string): readonly Predicate[] => {
      const found = images.find(ref)
      return found === undefined ? [] : (table.get(found.id)?.predicates ?? [])
    },
  }
}

function asPlace(repository: Awaited<ReturnType<Registries['artifacts']>>): BlobPlace {
  return {
    name: repository.name,
    manifest: async (reference) => {
      try {
        return await repository.manifest(reference)
      } catch (error) {
        if (isKind(error, 'not_found')) return undefined
        throw error
      }
    },
    blob: (descriptor) => repository.blob(descriptor),
    has: async (digest) => await repository.hasBlob(digest),
    put: async (digest, body) => await repository.upload(digest, body),
    putManifest: async (reference, mediaType, bytes) => await repository.putManifest(reference, mediaType, bytes),
    pushLayer: async (layer) => {
      const { digest, sizeBytes, compression } = await repository.pushLayer(layer)
      return { digest, sizeBytes, compression }
    },
    [Symbol.asyncDispose]: async () => await repository[Symbol.asyncDispose](),
  }
}
