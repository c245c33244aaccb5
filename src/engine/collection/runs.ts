import type { RecordStore } from '#base'

import { MAX_ITEMS, MAX_RUNS } from './limits.ts'
import type { CollectionRun } from './port.ts'

/** What earlier passes did, newest first. */
export interface Runs {
  list(): readonly CollectionRun[]
  add(run: CollectionRun): void
}

export function openRuns(records: RecordStore): Runs {
  const table = records.table<CollectionRun>('collection_run')
  const list = () =>
    table
      .entries()
      .map(([, run]) => run)
      .toReversed()
  return {
    list,
    add: (run) => {
      table.note(run.startedAt, { ...run, removed: run.removed.slice(0, MAX_ITEMS) })
      for (const { startedAt } of list().slice(MAX_RUNS)) table.forget(startedAt)
    },
  }
}
