import { closeSync, constants, fstatSync, mkdirSync, readdirSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { isKind, messageOf } from '#base'

import { checkPropagation } from './check-propagation.ts'
import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import type { ContainerRecord, ResolvedMount } from './record.ts'

const O_PATH = 0o10000000

/** Where a container's mounts are on the host, by their targets. */
export type MountSources = ReadonlyMap<string, string>

/**
 * Mounts the volumes whose drivers mount something, and pins subpaths: a volume's links are resolved inside it, once, and what they lead to is
 * mounted at a place of ours. Other containers may change them meanwhile, and lead nobody out of the volume.
 * `volumes` lets go of the volumes, `pins` of the pins. Errors: `container.mount_invalid`, `volume.mount_failed`.
 */
export async function holdSources(
  context: Context,
  record: ContainerRecord,
  holder: string,
  { volumes, pins }: { readonly volumes: AsyncDisposableStack; readonly pins: AsyncDisposableStack },
): Promise<MountSources> {
  const sources = new Map<string, string>()
  for (const [number, mount] of record.mounts.entries()) {
    if (mount.type === 'volume') {
      await context.volumes.hold(mount.name, holder)
      volumes.defer(async () => await context.volumes.release(mount.name, holder))
    }
    if (mount.type === 'bind') checkPropagation(mount.source, mount.propagation, () => context.host.mounts.list())
    sources.set(mount.target, sourceOf(context, record, mount, `${record.id}-${number}`, pins))
  }
  return sources
}

function sourceOf(
  context: Context,
  record: ContainerRecord,
  mount: ResolvedMount,
  name: string,
  pins: AsyncDisposableStack,
): string {
  const wanted = record.spec.mounts.find(({ type, target }) => type === mount.type && target === mount.target)
  if (wanted?.type === 'volume' && wanted.subpath !== '') return pinSubpath(context, mount, wanted.subpath, name, pins)
  // crun takes along what is mounted below, whatever it is told: it gets a mount with nothing below.
  if (wanted?.type === 'bind' && !wanted.isRecursive)
    return pin(
      context,
      { source: mount.source, isRecursive: false, isDirectory: statSync(mount.source).isDirectory() },
      name,
      pins,
    )
  return mount.source
}

/** With the container's end. */
export async function releaseVolumes(context: Context, record: ContainerRecord): Promise<void> {
  for (const mount of record.mounts) if (mount.type === 'volume') await context.volumes.release(mount.name, record.id)
}

const pinsDirectory = ({ runDir }: Pick<Context, 'runDir'>) => join(runDir, 'pins')

function pinSubpath(context: Context, mount: ResolvedMount, subpath: string, name: string, pins: AsyncDisposableStack): string {
  const fd = openSubpath(context, mount, subpath)
  try {
    const source = `/proc/self/fd/${fd}`
    return pin(context, { source, isRecursive: true, isDirectory: fstatSync(fd).isDirectory() }, name, pins)
  } finally {
    closeSync(fd)
  }
}

interface Pinned {
  readonly source: string
  readonly isRecursive: boolean
  readonly isDirectory: boolean
}

function pin(context: Context, { source, isRecursive, isDirectory }: Pinned, name: string, pins: AsyncDisposableStack): string {
  const place = join(pinsDirectory(context), name)
  mkdirSync(pinsDirectory(context), { recursive: true, mode: 0o711 })
  removePin(context, place)
  if (isDirectory) mkdirSync(place, { mode: 0o711 })
  else writeFileSync(place, '')
  pins.defer(() => removePin(context, place))
  context.host.mounts.bind({ source, target: place, recursive: isRecursive, propagation: 'rprivate' })
  return place
}

function openSubpath({ host }: Context, mount: ResolvedMount, subpath: string): number {
  try {
    return host.files.openInRoot(mount.source, subpath, { flags: O_PATH | constants.O_RDONLY })
  } catch (error) {
    if (!isKind(error, 'not_found')) throw error
    throw containerError(
      'container.mount_invalid',
      `volume ${mount.name}: subpath ${JSON.stringify(subpath)} does not exist in it`,
      {
        cause: error,
        hint: 'A subpath is not made by mounting it, and a link counts as seen from inside the volume.',
      },
    )
  }
}

/** Never what is mounted there: only an empty directory or a name goes, and neither while something lies on it. */
function removePin({ host }: Pick<Context, 'host'>, place: string): void {
  host.mounts.unmount(place, { lazy: true })
  for (const remove of [rmdirSync, unlinkSync]) {
    try {
      return remove(place)
    } catch {
      // The other kind, or not there at all.
    }
  }
}

/** What a daemon that was killed between pinning and starting left. */
export function sweepPins(context: Pick<Context, 'host' | 'log' | 'runDir'>): void {
  let names: readonly string[]
  try {
    names = readdirSync(pinsDirectory(context))
  } catch {
    return
  }
  for (const name of names) {
    try {
      removePin(context, join(pinsDirectory(context), name))
    } catch (error) {
      context.log.warn('remove what is left of a mounted subpath', { name, error: messageOf(error) })
    }
  }
}
