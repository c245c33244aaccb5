import type { TaskRecord } from '#cluster/model'
import { MAX_WRITES, type ClusterStore } from '#cluster/store'

/** One or several records that only make sense together. */
export interface TaskWrite {
  readonly puts: readonly { readonly key: string; readonly revision: number; readonly value: TaskRecord }[]
}

/** Bytes stay far below what a transaction may have, whatever refusals say. */
const BATCH_WRITES = Math.min(MAX_WRITES, 2048)

/** As many as can be at once; those that somebody else was faster with are given back, and the others are written without them. */
export async function writeBatches(store: ClusterStore, writes: readonly TaskWrite[]): Promise<readonly TaskWrite[]> {
  const refused: TaskWrite[] = []
  for (const batch of batchesOf(writes)) refused.push(...(await writeBatch(store, batch)))
  return refused
}

async function writeBatch(store: ClusterStore, batch: readonly TaskWrite[]): Promise<readonly TaskWrite[]> {
  if (batch.length === 0) return []
  const puts = batch.flatMap((write) => write.puts)
  const revision = await store.write({
    conditions: puts.map(({ key, revision }) => ({ key, revision })),
    puts: puts.map(({ key, value }) => ({ key, value })),
  })
  if (revision !== null) return []
  if (batch.length === 1) return batch
  const half = batch.length >> 1
  return [...(await writeBatch(store, batch.slice(0, half))), ...(await writeBatch(store, batch.slice(half)))]
}

/** A task that takes the place of others may have a record together with another such task: each key is written once in a batch. */
function* batchesOf(writes: readonly TaskWrite[]): Generator<readonly TaskWrite[]> {
  let batch: TaskWrite[] = []
  const keys = new Set<string>()
  for (const write of writes) {
    if (keys.size + write.puts.length > BATCH_WRITES || write.puts.some(({ key }) => keys.has(key))) {
      yield batch
      batch = []
      keys.clear()
    }
    batch.push(write)
    for (const { key } of write.puts) keys.add(key)
  }
  yield batch
}
