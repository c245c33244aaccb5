import type { SwarmRecord } from '#api/docker'
import type { RecordStore, RecordTable } from '#base'

const TABLE = 'swarm'
/** There is one, and it is this machine's. */
const OWN = 'own'

/** What this machine is a swarm by; undefined: it is none. */
export function swarmOf(store: RecordStore): SwarmRecord | undefined {
  const record = swarmTable(store).get(OWN)
  return record === undefined ? undefined : Object.assign({}, ABSENT, record)
}

/** What a record of an earlier version lacks. */
const ABSENT = { keptTasksPerSlot: 5 }

export function saveSwarm(store: RecordStore, record: SwarmRecord): void {
  swarmTable(store).put(OWN, record)
}

export function forgetSwarm(store: RecordStore): void {
  swarmTable(store).delete(OWN)
}

function swarmTable(store: RecordStore): RecordTable<SwarmRecord> {
  return store.table<SwarmRecord>(TABLE)
}
