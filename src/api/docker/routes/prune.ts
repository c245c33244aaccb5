import { isKind } from '#base'
import { sendJson } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { pruneTest, readFilters } from '../filters.ts'
import { tellOfPrune } from '../tell.ts'
import { layerBytes } from '../translate/image-json.ts'
import { pruneWish } from '../translate/prune-query.ts'

/** Before 1.42 a volume prune took the named ones too. */
const FIRST_MINOR_WITH_ANONYMOUS_ONLY = 42

export async function pruneContainers({ query, response }: Call, { engine, clock }: RouteContext): Promise<void> {
  const { isWanted } = pruneTest(query.text('filters'), clock.nowNs())
  const idle = engine.containers.list().filter(({ status }) => ['created', 'exited', 'dead'].includes(status.state))
  const deleted: string[] = []
  let reclaimed = 0
  for (const record of idle.filter(({ spec, createdAt }) => isWanted(spec.labels, createdAt))) {
    const { rwBytes } = await engine.containers.size(record.id)
    if (!(await isRemoved(() => engine.containers.remove(record.id, { force: false, volumes: false })))) continue
    deleted.push(record.id)
    reclaimed += rwBytes
  }
  tellOfPrune(engine, 'container', reclaimed)
  sendJson(response, 200, { ContainersDeleted: deleted, SpaceReclaimed: reclaimed })
}

export async function pruneImages({ query, response }: Call, { engine, clock }: RouteContext): Promise<void> {
  const { filters, isWanted } = pruneTest(query.text('filters'), clock.nowNs(), ['dangling'])
  const danglingOnly = filters.flag('dangling') ?? true
  if (!['until', 'label', 'label!'].some((name) => filters.has(name))) {
    const { deleted, reclaimedBytes } = await engine.images.prune({ danglingOnly })
    tellOfPrune(engine, 'image', reclaimedBytes)
    return sendJson(response, 200, { ImagesDeleted: deleted.map(deletedJson), SpaceReclaimed: reclaimedBytes })
  }
  const before = layerBytes(engine.images.list())
  const used = new Set(engine.containers.list().map((record) => record.spec.imageId))
  const deleted: object[] = []
  for (const image of engine.images.list()) {
    if (used.has(image.id) || (danglingOnly && image.tags.length > 0) || !isWanted(image.config.labels, image.created)) continue
    await isRemoved(async () => {
      deleted.push(...(await engine.images.remove(image.id, { force: image.tags.length > 1, noPrune: false })).map(deletedJson))
    })
  }
  const reclaimed = before - layerBytes(engine.images.list())
  tellOfPrune(engine, 'image', reclaimed)
  sendJson(response, 200, { ImagesDeleted: deleted, SpaceReclaimed: reclaimed })
}

export function deletedJson(entry: { readonly untagged: string } | { readonly deleted: string }) {
  return 'untagged' in entry ? { Untagged: entry.untagged } : { Deleted: entry.deleted }
}

export async function pruneNetworks({ query, response }: Call, { engine, clock }: RouteContext): Promise<void> {
  const { isWanted } = pruneTest(query.text('filters'), clock.nowNs())
  // A container that is not running keeps its networks by name; Docker takes them all the same, and so do we.
  const idle = engine.networks.list().filter((network) => !network.isPredefined && isWanted(network.labels, network.createdAt))
  const names: string[] = []
  for (const { id, name } of idle) if (await isRemoved(async () => void (await engine.networks.remove(id)))) names.push(name)
  tellOfPrune(engine, 'network', 0)
  sendJson(response, 200, { NetworksDeleted: names })
}

export async function pruneVolumes({ query, minor, response }: Call, { engine }: RouteContext): Promise<void> {
  const filters = readFilters(query.text('filters'), ['label', 'label!', 'all'])
  const all = minor < FIRST_MINOR_WITH_ANONYMOUS_ONLY || filters.flag('all') === true
  const { deleted, reclaimedBytes } = await engine.volumes.prune({ all, keep: ({ labels }) => !filters.matchesLabels(labels) })
  tellOfPrune(engine, 'volume', reclaimedBytes)
  sendJson(response, 200, { VolumesDeleted: deleted, SpaceReclaimed: reclaimedBytes })
}

export async function pruneBuilds({ query, response }: Call, { engine }: RouteContext): Promise<void> {
  const { deleted, reclaimedBytes } = (await engine.build?.prune(pruneWish(query))) ?? {
    deleted: [],
    reclaimedBytes: 0,
  }
  tellOfPrune(engine, 'builder', reclaimedBytes)
  sendJson(response, 200, { CachesDeleted: deleted, SpaceReclaimed: reclaimedBytes })
}

/** False when it went away or came into use meanwhile: a prune takes what it can. */
async function isRemoved(remove: () => Promise<void>): Promise<boolean> {
  try {
    await remove()
    return true
  } catch (error) {
    if (isKind(error, 'not_found') || isKind(error, 'conflict')) return false
    throw error
  }
}
