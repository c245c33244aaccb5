import type { Clock, RecordStore } from '#base'
import type { ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Images } from '#engine/images'
import type { Snapshots } from '#engine/snapshots'
import type { Host } from '#host'

export interface ArchivesNeeds {
  /** The shim, which holds the confined program. */
  readonly programPath: string
  readonly clock: Clock
  readonly records: RecordStore
  readonly host: Pick<Host, 'kernel'>
  readonly containers: Pick<ContainersService, 'get' | 'holdFiles' | 'pause' | 'unpause'>
  readonly images: Pick<Images, 'config' | 'find' | 'get' | 'addLayer' | 'commit'>
  readonly snapshots: Pick<Snapshots, 'diffTar'>
  readonly events: Pick<Events, 'publish'>
}
