import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

import type { ChangeBatch, ClusterStore } from '#cluster/store'

/** An implementation under examination. */
export interface ExaminedStore {
  readonly store: ClusterStore
  /** Lets time pass, for leases: a virtual clock, or real waiting. */
  advance(ms: number): Promise<void>
}

export interface StoreCandidate {
  readonly name: string
  /** An empty one for each test, closed by the test. */
  open(t: Pick<TestContext, 'after'>): Promise<ExaminedStore>
  /** Cases against a model: less where opening takes long. */
  readonly cases?: number
}

/** Reads a watch in the background. */
export function collect(source: AsyncIterable<ChangeBatch<unknown>>) {
  const batches: ChangeBatch<unknown>[] = []
  let arrived = Promise.withResolvers<void>()
  const read = async () => {
    for await (const batch of source) {
      batches.push(batch)
      arrived.resolve()
      arrived = Promise.withResolvers()
    }
  }
  const ended = read()
  ended.catch(() => undefined)
  return {
    batches,
    ended,
    /** Rejects when it ends before. */
    until: async (count: number) => {
      while (batches.length < count)
        await Promise.race([
          arrived.promise,
          ended.then(() => assert.fail(`the watch ended after ${batches.length} of ${count} batches`)),
        ])
      return batches
    },
  }
}
