import type { Digest, RecordStore } from '#base'
import type { ImageConfig } from '#oci/image'

/** What is stored of an image besides its configuration blob. */
export interface StoredImage {
  readonly config: ImageConfig
  readonly layers: readonly { readonly diffId: Digest; readonly sizeBytes: number }[]
  /** The image that it was committed on top of, where that is known. */
  readonly parent: Digest | null
  /** RFC 3339. */
  readonly lastTaggedAt: string
  /** Removed by force while a stopped container needs it: in no list any more, and gone when the container is. */
  readonly isDetached: boolean
}

/** Images and their names: the records in memory, written through. Names are canonical texts, with a tag or a digest. */
export interface Catalog {
  readonly images: ReadonlyMap<Digest, StoredImage>
  readonly names: ReadonlyMap<string, Digest>
  /** Who besides images keeps which layers, by the holder's own name. */
  readonly holders: ReadonlyMap<string, readonly Digest[]>
  namesOf(id: Digest): readonly string[]
  putImage(id: Digest, image: StoredImage): void
  deleteImage(id: Digest): void
  putName(name: string, id: Digest): void
  deleteName(name: string): void
  putHolder(holder: string, layers: readonly Digest[]): void
  deleteHolder(holder: string): void
  /** All that `work` changes is durable together. It must not throw half-way for reasons of its own. */
  atomically(work: () => void): void
}

export function openCatalog(records: RecordStore): Catalog {
  const imageTable = records.table<StoredImage>('image')
  const nameTable = records.table<{ readonly id: Digest }>('image_name')
  const holderTable = records.table<{ readonly layers: readonly Digest[] }>('layer_holder')
  const images = new Map(imageTable.entries() as readonly (readonly [Digest, StoredImage])[])
  const names = new Map(nameTable.entries().map(([name, { id }]) => [name, id]))
  const holders = new Map(holderTable.entries().map(([holder, { layers }]) => [holder, layers]))
  return {
    images,
    names,
    holders,
    namesOf: (id) => [...names].flatMap(([name, target]) => (target === id ? [name] : [])).toSorted(),
    putImage: (id, image) => {
      imageTable.put(id, image)
      images.set(id, image)
    },
    deleteImage: (id) => {
      imageTable.delete(id)
      images.delete(id)
    },
    putName: (name, id) => {
      nameTable.put(name, { id })
      names.set(name, id)
    },
    deleteName: (name) => {
      nameTable.delete(name)
      names.delete(name)
    },
    putHolder: (holder, layers) => {
      holderTable.put(holder, { layers })
      holders.set(holder, layers)
    },
    deleteHolder: (holder) => {
      holderTable.delete(holder)
      holders.delete(holder)
    },
    atomically: (work) => records.atomically(work),
  }
}

export function isLayerUsed(catalog: Catalog, diffId: Digest): boolean {
  for (const image of catalog.images.values()) if (image.layers.some((layer) => layer.diffId === diffId)) return true
  for (const layers of catalog.holders.values()) if (layers.includes(diffId)) return true
  return false
}
