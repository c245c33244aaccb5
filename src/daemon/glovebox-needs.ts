import type { DashboardPort, MetricsPort } from '#api/glovebox'
import type { Clock, Log } from '#base'
import type { Collection } from '#engine/collection'
import type { Host } from '#host'

import type { Actors } from './actors.ts'
import type { DaemonOptions } from './arguments.ts'
import type { ClusterRecords } from './cluster-records.ts'
import type { Cluster } from './cluster.ts'
import type { Engine } from './engine.ts'
import type { ServedRegistry } from './registry.ts'

/** What our own API is made of. */
export interface GloveboxNeeds extends DaemonOptions {
  readonly clock: Clock
  readonly log: Log
  readonly host: Host
  readonly engine: Engine
  readonly cluster: Cluster
  readonly records: ClusterRecords
  readonly actors: Actors
  readonly served: ServedRegistry
  readonly garbage: Collection
  /** What was measured. */
  readonly measured: MetricsPort
  readonly dashboardPort: DashboardPort
  readonly leave: () => void
}
