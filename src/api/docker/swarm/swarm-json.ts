import type { SwarmRecord } from './port.ts'
import { isoTime } from './iso-time.ts'
import { managerAddress } from './node-json.ts'

/** What holds of a swarm of one machine. Most of it is about others, so that it is what it is and cannot be changed. */
export const SWARM_SPEC = {
  Name: 'default',
  Raft: { SnapshotInterval: 10_000, KeepOldSnapshots: 0, LogEntriesForSlowFollowers: 500, ElectionTick: 10, HeartbeatTick: 1 },
  Dispatcher: { HeartbeatPeriod: 5_000_000_000 },
  CAConfig: { NodeCertExpiry: 7_776_000_000_000_000 },
  TaskDefaults: {},
  EncryptionConfig: { AutoLockManagers: false },
} as const

/** ClusterInfo. */
export function clusterJson(swarm: SwarmRecord) {
  return {
    ID: swarm.id,
    Version: { Index: swarm.version },
    CreatedAt: isoTime(swarm.createdAtMs),
    UpdatedAt: isoTime(swarm.updatedAtMs),
    Spec: { ...SWARM_SPEC, Orchestration: { TaskHistoryRetentionLimit: swarm.keptTasksPerSlot }, Labels: swarm.labels },
    TLSInfo: {},
    RootRotationInProgress: false,
    DefaultAddrPool: null,
    SubnetSize: 0,
    DataPathPort: 0,
  }
}

/** Swarm: ClusterInfo with the words that others join by. */
export function swarmJson(swarm: SwarmRecord) {
  return { ...clusterJson(swarm), JoinTokens: { Worker: swarm.workerToken, Manager: swarm.managerToken } }
}

/** SwarmInfo, for GET /info. */
export function swarmInfo(swarm: SwarmRecord | null, nodeId: string) {
  if (swarm === null)
    return { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false, Error: '', RemoteManagers: null }
  return {
    NodeID: nodeId,
    NodeAddr: swarm.address,
    LocalNodeState: 'active',
    ControlAvailable: true,
    Error: '',
    RemoteManagers: [{ NodeID: nodeId, Addr: managerAddress(swarm.address) }],
    Nodes: 1,
    Managers: 1,
    Cluster: clusterJson(swarm),
  }
}
