import { messageOf, type Log, type RecordStore } from '#base'
import type { HeldFiles } from '#engine/containers'

import type { ArchivesNeeds } from './needs.ts'

/** Containers that stand still for a commit. Written down, so that a daemon that dies meanwhile leaves none of them so. */
const tableOf = (records: RecordStore) => records.table<Record<string, never>>('commit_pause')

/** One that is paused already was paused by somebody else, and stays so. */
export async function whilePaused<T>(
  needs: ArchivesNeeds,
  files: HeldFiles,
  isWanted: boolean,
  work: () => Promise<T>,
): Promise<T> {
  const { id, status } = files.record
  if (!isWanted || files.state === 'stopped' || status.state === 'paused') return await work()
  const table = tableOf(needs.records)
  table.note(id, {})
  try {
    await needs.containers.pause(id)
    try {
      return await work()
    } finally {
      // It may have been resumed or killed meanwhile; the layer is whole all the same.
      if (needs.containers.get(id).status.state === 'paused') await needs.containers.unpause(id)
    }
  } finally {
    table.forget(id)
  }
}

/** After the containers were recovered. */
export async function resumePaused(
  { records, containers }: Pick<ArchivesNeeds, 'records' | 'containers'>,
  log: Log,
): Promise<void> {
  const table = tableOf(records)
  for (const [id] of table.entries()) {
    try {
      if (containers.get(id).status.state === 'paused') await containers.unpause(id)
    } catch (error) {
      log.warn('resume a container that stood still for a commit', { container: id, error: messageOf(error) })
    }
    table.forget(id)
  }
}
