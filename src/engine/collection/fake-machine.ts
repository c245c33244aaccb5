import { lineLog, memoryRecords, virtualClock, type Digest, type RecordStore, type VirtualClock } from '#base'
import type { EngineEvent } from '#engine/events'
import type { ImageRecord } from '#engine/images'

import { openImageUse, type ImageUse } from './image-use.ts'
import type { CollectionNeeds, ImageReferrer } from './needs.ts'
import { DEFAULT_POLICY } from './policy.ts'
import type { CollectionPolicy } from './port.ts'

const GIB = 1024 ** 3

/** For tests: images that take a gibibyte each on a disk of a hundred. */
export interface FakeMachine {
  readonly needs: CollectionNeeds
  readonly clock: VirtualClock
  readonly use: ImageUse
  readonly images: Map<Digest, ImageRecord>
  readonly referrers: ImageReferrer[]
  readonly events: Omit<EngineEvent, 'timeNs'>[]
  readonly logLines: string[]
  /** What others than images take of the disk. */
  readonly other: { bytes: number; buildStartMs: number | null; uptimeShiftMs: number; failure: Error | null }
  add(name: string, changes?: Partial<ImageRecord>): Digest
}

export function fakeMachine(
  options: { policy?: CollectionPolicy; records?: RecordStore; clock?: VirtualClock } = {},
): FakeMachine {
  const clock = options.clock ?? virtualClock()
  const records = options.records ?? memoryRecords()
  const images = new Map<Digest, ImageRecord>()
  const events: Omit<EngineEvent, 'timeNs'>[] = []
  const logLines: string[] = []
  const other: FakeMachine['other'] = { bytes: 0, buildStartMs: null, uptimeShiftMs: 0, failure: null }
  const referrers: ImageReferrer[] = []
  const use = openImageUse(records, clock)
  const needs: CollectionNeeds = {
    policy: () => options.policy ?? DEFAULT_POLICY,
    clock,
    log: lineLog({ level: 'info', write: (line) => void logLines.push(line), now: () => new Date(0) }),
    records,
    events: { publish: (event) => void events.push(event) },
    use,
    referrers: () => referrers,
    oldestBuildMs: () => other.buildStartMs,
    space: () => ({ totalBytes: 100 * GIB, availableBytes: 100 * GIB - other.bytes - images.size * GIB }),
    uptimeMs: () => clock.monotonicMs() + other.uptimeShiftMs,
    builder: { usage: () => [], prune: async () => ({ deleted: [], reclaimedBytes: 0 }) },
    images: {
      list: () => [...images.values()],
      prune: async ({ keep }) => {
        if (other.failure !== null) throw other.failure
        const gone = [...images.values()].filter((image) => keep?.(image) !== true)
        for (const { id } of gone) images.delete(id)
        return { deleted: gone.map(({ id }) => ({ deleted: id })), reclaimedBytes: gone.length * GIB }
      },
    },
  }
  const add: FakeMachine['add'] = (name, changes = {}) => {
    const id = `sha256:${String(images.size + 1).padStart(64, '0')}` as Digest
    images.set(id, { ...blank(id, new Date(clock.nowMs()).toISOString()), tags: [name], repoDigests: [`${name}@x`], ...changes })
    return id
  }
  return { needs, clock, use, images, referrers, events, logLines, other, add }
}

function blank(id: Digest, now: string): ImageRecord {
  return {
    ...{ id, tags: [], repoDigests: [], architecture: 'amd64', os: 'linux', variant: '', author: '', comment: '', created: now },
    config: {} as ImageRecord['config'],
    layers: [{ diffId: id, sizeBytes: GIB }],
    ...{ history: [], sizeBytes: GIB, lastTaggedAt: now, parent: null },
  }
}
