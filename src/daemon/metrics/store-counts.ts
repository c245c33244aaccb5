import type { Clock } from '#base'
import type { ClusterStore } from '#cluster/store'
import type { MetricRegistry } from '#observe/metrics'

/** On a disk of its own a write is below a millisecond; on one that is shared it waits for others. */
const BOUNDS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

/** The store of the cluster, each of whose writes is counted by what came of it. */
export function countedStore(store: ClusterStore, registry: MetricRegistry, clock: Clock): ClusterStore {
  const writes = registry.counter({
    name: 'glovebox_cluster_store_writes_total',
    help: 'Writes to the store of the cluster; conflict: somebody else had written before.',
    labels: ['outcome'],
    isKept: true,
  })
  const time = registry.histogram(
    { name: 'glovebox_cluster_store_write_duration_seconds', help: 'How long writes took until they were durable.', labels: [] },
    BOUNDS_S,
  )
  return {
    get: async (key) => await store.get(key),
    range: async (prefix) => await store.range(prefix),
    watch: (prefix, afterRevision, signal) => store.watch(prefix, afterRevision, signal),
    write: async (transaction) => {
      const startedMs = clock.monotonicMs()
      try {
        const revision = await store.write(transaction)
        writes.add([revision === null ? 'conflict' : 'done'])
        return revision
      } catch (error) {
        writes.add(['failed'])
        throw error
      } finally {
        time.observe([], (clock.monotonicMs() - startedMs) / 1000)
      }
    },
    grantLease: async (ttlMs) => await store.grantLease(ttlMs),
    renewLease: async (lease) => await store.renewLease(lease),
    revokeLease: async (lease) => await store.revokeLease(lease),
    [Symbol.asyncDispose]: async () => await store[Symbol.asyncDispose](),
  }
}

/** Rounds of the scheduler in which something was decided. */
export function countPlacing(registry: MetricRegistry): (ms: number) => void {
  const time = registry.histogram(
    {
      name: 'glovebox_scheduler_round_duration_seconds',
      help: 'How long it took to decide where tasks go and to write it down.',
      labels: [],
    },
    BOUNDS_S,
  )
  return (ms) => time.observe([], ms / 1000)
}
