import type { Clock, KeyedLocks, Log, Random, RecordStore } from '#base'
import type { Events } from '#engine/events'
import type { Images } from '#engine/images'
import type { Networks } from '#engine/network'
import type { RunningProcess, Runtime } from '#engine/runtime'
import type { Snapshots } from '#engine/snapshots'
import type { Volumes } from '#engine/volumes'
import type { Host } from '#host'

import type { LiveContainer } from './live.ts'
import type { ContainerRecord } from './record.ts'
import type { UserRemap } from './user-remap.ts'
import type { Registry } from './registry.ts'
import type { DefaultLog } from './spec.ts'

/** What containers need of the rest of the engine. */
export interface ContainersNeeds {
  /** What lasts: logs and identity files are in `containers/ID` below it. */
  readonly root: string
  /** What a reboot may take: sockets, bundles and exit records are in `c/ID` below it. */
  readonly runDir: string
  /** Name of the instance, in every cgroup path. */
  readonly instance: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly records: RecordStore
  readonly host: Host
  readonly images: Pick<Images, 'get' | 'find' | 'sweep'>
  readonly snapshots: Snapshots
  readonly networks: Networks
  readonly volumes: Volumes
  readonly runtime: Runtime
  readonly events: Events
  /** A static program that is an init when it is called `docker-init`. */
  readonly initPath: string
  /** Left out: `json-file` without options. */
  readonly defaultLog?: () => DefaultLog
  /** Left out: users are the host's. */
  readonly remap?: UserRemap
}

/** The needs and what the module's own parts share. */
export interface Context extends ContainersNeeds {
  readonly registry: Registry
  readonly locks: KeyedLocks
  /** Follows a process to its end and then does what the record asks for. */
  readonly watchExit: (live: LiveContainer, process: RunningProcess) => void
  /** Its process has ended, and it is still in its networks. */
  readonly beforeLeaving: (record: ContainerRecord) => Promise<void>
}
