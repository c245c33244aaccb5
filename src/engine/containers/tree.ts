import type { Readable } from 'node:stream'

import type { Context } from './context.ts'
import type { Containers } from './port.ts'
import type { ContainerRecord } from './record.ts'

type Changes = Awaited<ReturnType<Containers['changes']>>

export async function sizeOf(context: Context, record: ContainerRecord): Promise<{ rwBytes: number; rootFsBytes: number }> {
  const rwBytes = await context.snapshots.usage(record.id)
  const image = context.images.find(record.spec.imageId)
  return { rwBytes, rootFsBytes: rwBytes + (image?.sizeBytes ?? 0) }
}

/** What the container changed against its image, as `docker diff` lists it. */
export async function changesOf(context: Context, record: ContainerRecord): Promise<Changes> {
  const changes: Changes[number][] = []
  for await (const change of context.snapshots.changes(record.id)) changes.push(change)
  return changes
}

/** The whole file system, as the container sees it now. */
export function exportOf(context: Context, record: ContainerRecord): Readable {
  return context.snapshots.exportTar(record.id)
}
