import { messageOf, type Digest } from '#base'

import type { CollectionNeeds } from './needs.ts'
import type { CollectionPlan, RemovedItem, Removal } from './port.ts'
import { reasonText } from './reason-text.ts'
import { usersByImage } from './view.ts'

export interface CarriedOut {
  readonly removed: readonly RemovedItem[]
  readonly freedBytes: number
  readonly failures: readonly string[]
}

/**
 * Removes what the plan says, apart from what came into use since. Each part is tried although another failed. What nothing names any more
 * (layers of an interrupted removal, of builds that failed) goes along.
 */
export async function carryOut(needs: CollectionNeeds, plan: CollectionPlan): Promise<CarriedOut> {
  const failures: string[] = []
  const attempt = async (what: string, work: () => Promise<CarriedOut>): Promise<CarriedOut> => {
    try {
      return await work()
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`)
      return { removed: [], freedBytes: 0, failures: [] }
    }
  }
  // Images last: their pass also takes the layers that only the cache named.
  const caches = await attempt('remove build results', async () => await removeCaches(needs, ofKind(plan, 'cache')))
  const images = await attempt('remove images', async () => await removeImages(needs, ofKind(plan, 'image')))
  return {
    removed: [...images.removed, ...caches.removed],
    freedBytes: images.freedBytes + caches.freedBytes,
    failures,
  }
}

function ofKind(plan: CollectionPlan, kind: Removal['kind']): ReadonlyMap<string, Removal> {
  return new Map(plan.removals.filter((removal) => removal.kind === kind).map((removal) => [removal.id, removal]))
}

async function removeCaches(needs: CollectionNeeds, wanted: ReadonlyMap<string, Removal>): Promise<CarriedOut> {
  if (wanted.size === 0) return { removed: [], freedBytes: 0, failures: [] }
  const { deleted, reclaimedBytes } = await needs.builder.prune({ all: true, only: new Set(wanted.keys()) })
  return { removed: itemsOf(wanted, new Set(deleted)), freedBytes: reclaimedBytes, failures: [] }
}

/** Between this question and the removal of the records nothing else runs: what has come into use stays. */
async function removeImages(needs: CollectionNeeds, wanted: ReadonlyMap<string, Removal>): Promise<CarriedOut> {
  const users = usersByImage(needs.referrers())
  const isWanted = (id: Digest) => wanted.has(id) && !users.has(id)
  const { deleted, reclaimedBytes } = await needs.images.prune({ danglingOnly: false, keep: ({ id }) => !isWanted(id) })
  const gone = new Set(deleted.flatMap((entry) => ('deleted' in entry ? [entry.deleted] : [])))
  return { removed: itemsOf(wanted, gone), freedBytes: reclaimedBytes, failures: [] }
}

function itemsOf(wanted: ReadonlyMap<string, Removal>, gone: ReadonlySet<string>): readonly RemovedItem[] {
  return [...wanted.values()].filter(({ id }) => gone.has(id)).map((removal) => itemOf(removal))
}

export function itemOf({ kind, id, names, freedBytes, reason }: Removal): RemovedItem {
  return { kind, id, names, bytes: freedBytes, why: reasonText(reason) }
}
