import type { BuilderPorts, KeptPlace, LayerRecord } from './ports.ts'
import { planPrune, type CacheUsage, type PruneWish } from './prune-plan.ts'

export interface Pruned {
  readonly deleted: readonly string[]
  readonly reclaimedBytes: number
}

/** What builds keep for later ones: layers of steps, directories of cache mounts, contexts. */
export interface KeptForLater {
  usage(): readonly CacheUsage[]
  /** Nothing that a running build stands on goes. */
  prune(wish: PruneWish): Promise<Pruned>
}

export function keptForLater(ports: BuilderPorts, isHeld: (key: string) => boolean): KeptForLater {
  const places = ports.places ?? []
  const usage = () => [...layerUsage(ports, isHeld), ...places.flatMap((place) => place.list().map(placeUsage))]
  return {
    usage,
    prune: async (wish) => {
      const deleted: string[] = []
      let reclaimedBytes = 0
      for (const { id, kind, isShared, sizeBytes } of planPrune(usage(), wish, ports.clock.nowMs())) {
        if (kind === 'regular') {
          if (isHeld(id)) continue
          // The record goes first: after a crash between the two a layer is kept in vain, and no record names a missing one.
          ports.cache.delete(id)
          await ports.layers.release(id)
        } else if (!(await removed(places, id))) continue
        if (!isShared) reclaimedBytes += sizeBytes
        deleted.push(id)
      }
      if (wish.all && wish.only === undefined) forgetNotes(ports, isHeld)
      return { deleted, reclaimedBytes }
    },
  }
}

async function removed(places: readonly KeptPlace[], id: string): Promise<boolean> {
  for (const place of places) if (await place.remove(id)) return true
  return false
}

/** Digests and times that save work: some hundred bytes each, and of no use without the layers. */
function forgetNotes({ cache }: BuilderPorts, isHeld: (key: string) => boolean): void {
  for (const { key, record } of cache.list()) if (record.kind !== 'layer' && !isHeld(key)) cache.delete(key)
}

function layerUsage(ports: BuilderPorts, isHeld: (key: string) => boolean): readonly CacheUsage[] {
  return ports.cache.list().flatMap(({ key, record }) => {
    if (record.kind !== 'layer') return []
    const { description, sizeBytes, created, lastUsed, uses, diffId } = record
    const shared = { isInUse: isHeld(key), isShared: isInImage(ports, record) }
    const layer = diffId === undefined ? null : { diffId, sizeBytes }
    const times = { createdAt: created, lastUsedAt: lastUsed, usageCount: uses }
    return [{ id: key, kind: 'regular' as const, description, sizeBytes, layer, ...shared, ...times }]
  })
}

function placeUsage(entry: ReturnType<KeptPlace['list']>[number]): CacheUsage {
  return { ...entry, isShared: false, layer: null }
}

function isInImage(ports: BuilderPorts, record: LayerRecord): boolean {
  return record.diffId !== undefined && ports.layers.isInImage(record.diffId)
}
