import { closeSync, constants, fstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { isKind, messageOf } from '#base'

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
    const subpath = subpathOf(mount, record)
    sources.set(mount.target, subpath === '' ? mount.source : pin(context, mount, subpath, `${record.id}-${number}`, pins))
  }
  return sources
}

/** With the container's end. */
export async function releaseVolumes(context: Context, record: ContainerRecord): Promise<void> {
  for (const mount of record.mounts) if (mount.type === 'volume') await context.volumes.release(mount.name, record.id)
}

function subpathOf(mount: ResolvedMount, { spec }: ContainerRecord): string {
  const wanted = spec.mounts.find((other) => other.type === 'volume' && other.target === mount.target)
  return mount.type === 'volume' && wanted?.type === 'volume' ? wanted.subpath : ''
}

const pinsDirectory = ({ runDir }: Pick<Context, 'runDir'>) => join(runDir, 'pins')

function pin(context: Context, mount: ResolvedMount, subpath: string, name: string, pins: AsyncDisposableStack): string {
  const { mounts } = context.host
  const fd = openSubpath(context, mount, subpath)
  try {
    const place = join(pinsDirectory(context), name)
    mkdirSync(pinsDirectory(context), { recursive: true, mode: 0o711 })
    removePin(context, place)
    if (fstatSync(fd).isDirectory()) mkdirSync(place, { mode: 0o711 })
    else writeFileSync(place, '')
    pins.defer(() => removePin(context, place))
    mounts.bind({ source: `/proc/self/fd/${fd}`, target: place, recursive: true, propagation: 'rprivate' })
    return place
  } finally {
    closeSync(fd)
  }
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
