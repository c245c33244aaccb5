import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rmdirSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'

import { backoffMs, systemCodeOf } from '#base'
import type { Clock } from '#base'
import { hostError } from './errors.ts'

/** The kernel empties a group a moment after its last process ended; more than this is somebody else's process. */
const REMOVE_TIMEOUT_MS = 5000
const REMOVE_BACKOFF = { firstMs: 1, maxMs: 50 }

/** A directory of a hierarchy and all below it, children first. */
function treeOf(directory: string): readonly string[] {
  try {
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return [...children.flatMap(({ name }) => treeOf(join(directory, name))), directory]
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** Process ids of a group and the groups below. */
export function pidsBelow(directory: string): readonly number[] {
  return treeOf(directory).flatMap((group) =>
    (readCgroupText(join(group, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number),
  )
}

/** Undefined when the file is not there, or its group went away, or the controller cannot tell. */
export function readCgroupText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isGone(error) || systemCodeOf(error) === 'EOPNOTSUPP') return undefined
    throw error
  }
}

export function isGone(error: unknown): boolean {
  const code = systemCodeOf(error)
  return code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTDIR'
}

/** Removes a group with its children from one hierarchy, waiting while it is busy. */
export async function removeTree(clock: Clock, directory: string): Promise<void> {
  const startMs = clock.monotonicMs()
  for (let tries = 1; ; tries += 1) {
    if (await tryRemoveTree(directory)) return
    if (clock.monotonicMs() - startMs > REMOVE_TIMEOUT_MS)
      throw hostError('host.cgroup_timeout', `remove cgroup ${directory}: still busy after ${REMOVE_TIMEOUT_MS} ms`, {
        details: { errno: 'EBUSY', pids: pidsBelow(directory) },
      })
    await clock.sleep(backoffMs(REMOVE_BACKOFF, tries))
  }
}

async function tryRemoveTree(directory: string): Promise<boolean> {
  // Nearly always there are no children: one call does it.
  if (await tryRemove(directory)) return true
  for (const group of treeOf(directory)) if (!(await tryRemove(group))) return false
  return !existsSync(directory)
}

async function tryRemove(directory: string): Promise<boolean> {
  try {
    await rmdir(directory)
    return true
  } catch (error) {
    if (isGone(error)) return true
    if (systemCodeOf(error) === 'EBUSY' || systemCodeOf(error) === 'ENOTEMPTY') return false
    throw hostError('host.cgroup_failed', `remove cgroup ${directory}: ${systemCodeOf(error) ?? String(error)}`, { cause: error })
  }
}

/** rmdir(2) refuses a group that has children or processes: then it is not empty, and stays. */
export function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes(systemCodeOf(error) ?? '')) return
    throw hostError('host.cgroup_failed', `remove cgroup ${directory}: ${systemCodeOf(error) ?? String(error)}`, { cause: error })
  }
}
