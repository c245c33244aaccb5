import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { messageOf } from '#base'

import type { Context } from './context.ts'
import { removeMemoryFiles } from './memory-files.ts'
import { cgroupPathOf, homeOf, memoryRoot, runDirOf, runtimeStateOf, runtimeStateRoot } from './paths.ts'
import { releaseSharedMemory } from './shared-memory.ts'
import { removeUnclaimedVolumes, unclaimedVolumes } from './unclaimed-volumes.ts'
import { sweepPins } from './volume-sources.ts'

/** Directories, cgroups, roots and volumes of containers that have no record: a removal or a creation that a crash cut short. */
export async function sweepStrangers(context: Context): Promise<void> {
  const isStranger = (id: string) => context.registry.tryFind(id) === undefined
  for (const id of namesIn(join(context.runDir, 'c')).filter(isStranger))
    await attempt(context, id, async () => await sweepRunning(context, id))
  for (const id of namesIn(runtimeStateRoot(context)).filter(isStranger))
    await attempt(context, id, () => rmSync(runtimeStateOf(context, id), { recursive: true, force: true }))
  const strangers = context.snapshots.containers().filter(({ id }) => isStranger(id))
  for (const { id } of strangers) await attempt(context, id, async () => await context.snapshots.removeContainer(id))
  for (const id of namesIn(join(context.root, 'containers')).filter(isStranger))
    await attempt(context, id, () => rmSync(homeOf(context, id), { recursive: true, force: true }))
  for (const id of namesIn(memoryRoot(context)).filter(isStranger))
    await attempt(context, id, () => removeMemoryFiles(context, id))
  sweepPins(context)
  await removeUnclaimedVolumes(context, unclaimedVolumes(context))
  // Layers that were kept because one of them stood on them.
  if (strangers.length > 0) await context.images.sweep()
}

/** The run directory goes last, for it is what we find the others by. */
async function sweepRunning(context: Context, id: string): Promise<void> {
  const cgroup = cgroupOfBundle(context, id)
  await context.host.cgroups.kill(cgroup)
  await context.host.cgroups.remove(cgroup)
  rmSync(runtimeStateOf(context, id), { recursive: true, force: true })
  releaseSharedMemory(context, id)
  rmSync(runDirOf(context, id), { recursive: true, force: true })
}

/** With the record gone only the bundle knows a `--cgroup-parent`. */
function cgroupOfBundle(context: Context, id: string): string {
  const usual = cgroupPathOf(context, id, '')
  try {
    const config = JSON.parse(readFileSync(join(runDirOf(context, id), 'config.json'), 'utf8'))
    const path: unknown = config.linux.cgroupsPath
    return typeof path === 'string' && path.endsWith(`/${id}`) ? path : usual
  } catch {
    // Killed before it was written: then there is no cgroup either.
    return usual
  }
}

async function attempt(context: Context, id: string, work: () => Promise<void> | void): Promise<void> {
  try {
    await work()
  } catch (error) {
    context.log.warn('sweep what is left of a container without a record', { container: id, error: messageOf(error) })
  }
}

export function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
