import { spawn } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

import { during } from '#base'
import type { VolumeRecord } from '#engine/volumes'

import type { Context } from './context.ts'
import type { ContainerSpec } from './spec.ts'
import { isRemapped } from './user-namespace.ts'

/**
 * An empty volume takes over what the image has at its place. The copy is made beside the volume and renamed over it, so that a crash
 * leaves an empty volume or a full one; only where somebody has the volume mounted already it is made in place. The path is resolved inside
 * the image: its links cannot lead out.
 */
export async function fillVolume(context: Context, spec: ContainerSpec, volume: VolumeRecord, target: string): Promise<void> {
  const { name } = volume
  const holder = `copy for ${target}`
  await context.volumes.hold(name, holder)
  try {
    await context.volumes.exclusively(name, async () => await fillEmpty(context, spec, volume, target))
  } finally {
    await context.volumes.release(name, holder)
  }
}

async function fillEmpty(context: Context, spec: ContainerSpec, volume: VolumeRecord, target: string): Promise<void> {
  const { name, mountpoint, options } = volume
  if ((await readdir(mountpoint)).length > 0) return
  const isMounted = Object.keys(options).length > 0 || context.volumes.users(name).length > 0
  await using scaffold = new AsyncDisposableStack()
  // Files of a volume lie on the disk as the container's users are on the host.
  const mappingOf = isRemapped(context, spec) ? scaffold.use(await context.remap?.hold(`volume ${mountpoint}`))?.pid : undefined
  const layers = context.images.get(spec.imageId).layers.map((layer) => layer.diffId)
  const view = await mkdtemp(join(context.root, 'tmp', 'view-'))
  try {
    using _mount = context.snapshots.mountReadOnly(layers, view, mappingOf === undefined ? {} : { mappingOf })
    const source = await directoryIn(context, view, target)
    if (source !== undefined) await (isMounted ? copyTree(source, mountpoint) : copyOver(source, mountpoint, target))
  } finally {
    await rmdir(view).catch(() => undefined)
  }
}

async function directoryIn(context: Context, view: string, target: string): Promise<string | undefined> {
  const source = context.host.files.resolveInRoot(view, target)
  return source !== undefined && (await lstat(source)).isDirectory() ? source : undefined
}

async function copyOver(source: string, mountpoint: string, target: string): Promise<void> {
  const copy = `${mountpoint}.copy`
  try {
    await rm(copy, { recursive: true, force: true })
    await mkdir(copy)
    await copyTree(source, copy)
    await rename(copy, mountpoint)
  } catch (error) {
    await rm(copy, { recursive: true, force: true })
    throw during(`copy the image's ${target} into the new volume`, error)
  }
}

/** Owners, modes, times, links and extended attributes as they are: cp(1) does it all and follows no link below the source. */
async function copyTree(source: string, target: string): Promise<void> {
  const child = spawn('cp', ['-a', '--no-clobber', '--', `${source}/.`, target], { stdio: ['ignore', 'ignore', 'pipe'] })
  const complaint: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => complaint.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new Error(Buffer.concat(complaint).toString().trim() || `cp ended with exit code ${code}`)
}
