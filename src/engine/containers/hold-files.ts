import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import type { LiveContainer } from './live.ts'
import { memoryDevice } from './memory-files.ts'
import { cgroupPathOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'
import { isRemapped } from './user-namespace.ts'
import { holdSources, type MountSources } from './volume-sources.ts'

/** A container's files for as long as somebody works on them. */
export type HeldFiles = {
  readonly record: ContainerRecord
  /** Number of the device on which its files in memory are, which are not for archives; undefined: it has none. */
  readonly memoryDevice: number | undefined
} & (
  | {
      readonly state: 'running'
      readonly pid: number
      /** Its users are others on the host: whoever works on its files must be in its user namespace. */
      readonly isRemapped: boolean
      /** Whether `pid` is the container's still: ask after opening something of it. */
      readonly isSame: () => boolean
    }
  | {
      readonly state: 'stopped'
      /** Mounted until the work is done. */
      readonly rootfs: string
      /** To be mounted over it, outer ones first. What a tmpfs held is gone. */
      readonly mounts: readonly { readonly source: string; readonly target: string; readonly isReadOnly: boolean }[]
    }
)

/** One that does not run cannot start, change or go until the work is done; one that runs goes on as it likes. */
export async function holdFiles<T>(context: Context, live: LiveContainer, work: (files: HeldFiles) => Promise<T>): Promise<T> {
  const stopped = live.process === null ? await whileStopped(context, live, work) : null
  return stopped === null ? await work(runningFiles(context, live)) : stopped.result
}

function runningFiles(context: Context, live: LiveContainer): HeldFiles {
  const { process, record } = live
  if (process === null) throw containerError('container.not_running', `Container ${record.id} has just ended`)
  const cgroup = cgroupPathOf(context, record.id, record.spec.resources.cgroupParent)
  const isSame = () => live.process === process && context.host.cgroups.pids(cgroup).includes(process.pid)
  return {
    record,
    memoryDevice: deviceOf(context, record),
    state: 'running',
    pid: process.pid,
    isRemapped: isRemapped(context, record.spec),
    isSame,
  }
}

/** null: it was started while we waited for our turn. */
async function whileStopped<T>(
  context: Context,
  live: LiveContainer,
  work: (files: HeldFiles) => Promise<T>,
): Promise<{ readonly result: T } | null> {
  const { id } = live.record
  return await context.locks.run(id, async () => {
    if (context.registry.tryFind(id) !== live) throw containerError('container.not_found', `No such container: ${id}`)
    const { record } = live
    if (live.process !== null) return null
    const layers = context.images.get(record.spec.imageId).layers.map((layer) => layer.diffId)
    const wasMounted = context.snapshots.containers().some((root) => root.id === id && root.isMounted)
    const { rootfs } = context.snapshots.mountContainer({ id, layers })
    try {
      await using held = new AsyncDisposableStack()
      const sources = await holdSources(context, record, `files of ${id}`, { volumes: held, pins: held })
      return {
        result: await work({ record, memoryDevice: undefined, state: 'stopped', rootfs, mounts: mountsOf(record, sources) }),
      }
    } finally {
      if (!wasMounted) context.snapshots.unmountContainer(id)
    }
  })
}

function deviceOf(context: Context, { spec }: ContainerRecord): number | undefined {
  return spec.memoryFiles === undefined ? undefined : memoryDevice(context)
}

function mountsOf(record: ContainerRecord, sources: MountSources) {
  const depth = (path: string) => path.split('/').filter((part) => part !== '').length
  return record.mounts
    .filter(({ type }) => type !== 'tmpfs')
    .map((mount) => ({ source: sources.get(mount.target) ?? mount.source, target: mount.target, isReadOnly: mount.isReadOnly }))
    .toSorted((a, b) => depth(a.target) - depth(b.target))
}
