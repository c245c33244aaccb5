import { readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

import { messageOf, type Log, type RecordTable } from '#base'

import type { Mounter } from './mounter.ts'

/** Directories that were to be volumes and have no record: kept under this prefix, for nobody ever asked for their removal. */
const ORPHAN = '.orphan-'

export interface LeftoverNeeds {
  readonly home: string
  readonly log: Log
  readonly mounter: Mounter
  /** Volumes whose removal was asked for and begun. */
  readonly removals: RecordTable<Record<string, never>>
  readonly isVolume: (name: string) => boolean
}

/**
 * What a crash left. A removal that had begun is finished. A directory without a record is removed if nothing is in it (a creation that was cut
 * short); with files in it the record was lost in another way, and it is set aside for a person to look at.
 */
export async function clearLeftovers(needs: LeftoverNeeds): Promise<void> {
  const { home, log, removals } = needs
  for (const [name] of removals.entries()) {
    if (needs.isVolume(name)) removals.delete(name)
    else await attempt(log, name, async () => await finishRemoval(needs, name))
  }
  for (const entry of await readdir(home)) {
    if (needs.isVolume(entry) || removals.get(entry) !== undefined) continue
    await attempt(log, entry, async () => await clearStray(needs, entry))
  }
}

/** The directory goes before the note of its removal: whatever happens in between, the next start finds one of the two. */
export async function finishRemoval({ home, mounter, removals }: LeftoverNeeds, name: string): Promise<void> {
  const path = join(home, name)
  await removeTree(mounter, path)
  removals.delete(name)
}

/** Never across a mount: what is mounted there is not ours to delete. */
async function removeTree(mounter: Mounter, path: string): Promise<void> {
  const place = join(path, '_data')
  while (mounter.isMounted(place)) mounter.unmount(place)
  await rm(path, { recursive: true, force: true })
}

async function clearStray({ home, mounter, log }: LeftoverNeeds, entry: string): Promise<void> {
  const path = join(home, entry)
  const place = join(path, '_data')
  while (mounter.isMounted(place)) mounter.unmount(place)
  if (await isRemovedEmpty(path)) return
  if (!entry.startsWith(ORPHAN)) await rename(path, join(home, `${ORPHAN}${entry}`))
  log.warn('a volume without a record is kept', {
    path: join(home, entry.startsWith(ORPHAN) ? entry : `${ORPHAN}${entry}`),
    hint: 'copy what you need of it and remove the directory',
  })
}

/** rmdir(2) removes nothing that holds anything. */
async function isRemovedEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(join(path, '_data')).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    })
    await rmdir(path)
    return true
  } catch {
    return false
  }
}

async function attempt(log: Log, name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.warn('clear what is left of a volume', { volume: name, error: messageOf(error) })
  }
}
