import type { ContainerRecord } from '#engine/containers'

import type { DockerApiEngine } from './engine.ts'

/** What was done with a container at a client's wish, where the engine itself sees nothing happen. */
export function tellOfContainer({ events }: DockerApiEngine, record: ContainerRecord, action: 'export' | 'top'): void {
  const attributes = { ...record.spec.labels, image: record.spec.image, name: record.name }
  events.publish({ type: 'container', action, actorId: record.id, attributes })
}

/** Behind a prune, of nobody in particular: how many bytes came free. */
export function tellOfPrune(
  { events }: DockerApiEngine,
  type: 'container' | 'image' | 'network' | 'volume' | 'builder',
  reclaimedBytes: number,
): void {
  events.publish({ type, action: 'prune', actorId: '', attributes: { reclaimed: String(reclaimedBytes) } })
}
