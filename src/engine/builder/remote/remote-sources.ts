import type { Clock } from '#base'

import { download } from './download.ts'
import { checkOut, commitOf } from './git-fetch.ts'
import type { RemoteSources } from './port.ts'

export interface RemoteSourcesNeeds {
  readonly clock: Clock
  /** For repositories while they are read. */
  readonly directory: string
}

/** Fetches over the host's network. */
export function createRemoteSources(needs: RemoteSourcesNeeds): RemoteSources {
  return {
    download: async (source, options, into, known) => await download(needs.clock, source, options, into, known),
    commitOf: async (source, options) => await commitOf(needs, source, options),
    checkOut: async (source, commit, options, into) => await checkOut(needs, source, commit, options, into),
  }
}
