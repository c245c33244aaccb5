import { dirname } from 'node:path'
import type { Readable } from 'node:stream'

import { GloveboxError } from '#base'

import type { Context } from './context.ts'
import type { Containers } from './port.ts'
import type { ContainerRecord } from './record.ts'
import { INIT_TARGET } from './runtime-input.ts'

type Changes = Awaited<ReturnType<Containers['changes']>>

export async function sizeOf(context: Context, record: ContainerRecord): Promise<{ rwBytes: number; rootFsBytes: number }> {
  const rwBytes = await unlessRootless(async () => await context.snapshots.usage(record.id), 0)
  const image = context.images.find(record.spec.imageId)
  return { rwBytes, rootFsBytes: rwBytes + (image?.sizeBytes ?? 0) }
}

/** A container that was never started and never copied into has no root yet: it wrote and changed nothing. */
async function unlessRootless<T>(look: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof GloveboxError && error.code === 'snapshot.container_not_found') return otherwise
    throw error
  }
}

/** Mount points that every container gets: where the image has none, making them is no change of the container's. */
const MOUNT_POINTS = new Set(['/dev', '/proc', '/sys', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf', INIT_TARGET])

/** What the container changed against its image, as `docker diff` lists it. */
export async function changesOf(context: Context, record: ContainerRecord): Promise<Changes> {
  const changes: Changes[number][] = []
  const collect = async () => {
    for await (const change of context.snapshots.changes(record.id)) changes.push(change)
  }
  await unlessRootless(collect, undefined)
  return withoutMountPoints(changes)
}

/** With a mount point goes its directory, unless something else in there was changed. */
export function withoutMountPoints(changes: Changes): Changes {
  const isMountPoint = ({ path, kind }: Changes[number]) => kind === 'added' && MOUNT_POINTS.has(path)
  const left = changes.filter((change) => !isMountPoint(change))
  const touched = new Set(changes.filter(isMountPoint).map(({ path }) => dirname(path)))
  const isOnlyTouched = ({ path }: Changes[number]) =>
    touched.has(path) && !left.some((other) => other.path.startsWith(`${path}/`))
  return left.filter((change) => !isOnlyTouched(change))
}

/** The whole file system, as the container sees it now. */
export async function exportOf(context: Context, { id, spec }: ContainerRecord): Promise<Readable> {
  if (!hasRoot(context, id)) await context.locks.run(id, async () => await Promise.resolve(makeRoot(context, id, spec.imageId)))
  return context.snapshots.exportTar(id)
}

function hasRoot(context: Context, id: string): boolean {
  return context.snapshots.containers().some((root) => root.id === id)
}

/** One that was never started has what its image has. */
function makeRoot(context: Context, id: string, imageId: string): void {
  if (hasRoot(context, id) || context.registry.tryFind(id) === undefined) return
  const layers = context.images.get(imageId).layers.map((layer) => layer.diffId)
  context.snapshots.mountContainer({ id, layers })
  context.snapshots.unmountContainer(id)
}
