import { connect, openWire } from './connect.ts'
import { NO_CREDENTIALS } from './credentials.ts'
import type { TransferNeeds } from './needs.ts'
import type { Upstream } from './port.ts'
import { openRepository, type Repository } from './repository.ts'
import { readDocument } from './resolve-manifest.ts'

/** The registry of a name such as `docker.io`. */
export function openUpstream(needs: TransferNeeds, registry: string): Upstream {
  async function* repositories(path: string, signal: AbortSignal): AsyncGenerator<Repository> {
    using wire = openWire(needs)
    for await (const session of connect({ ...needs, wire, signal }, registry, NO_CREDENTIALS, 'pull'))
      yield openRepository(needs, session, path, 'pull')
  }
  return {
    manifest: async (path, reference, signal) => {
      let failure: unknown
      for await (const repository of repositories(path, signal)) {
        try {
          const { bytes, mediaType } = await readDocument(repository, reference, null)
          return { bytes, mediaType }
        } catch (error) {
          failure = error
        }
      }
      throw failure
    },
    blob: async function* (path, digest, sizeBytes, signal) {
      let failure: unknown
      for await (const repository of repositories(path, signal)) {
        let hasBegun = false
        try {
          for await (const chunk of repository.blob(digest, sizeBytes, `blob ${digest.text}`)) {
            hasBegun = true
            yield chunk
          }
          return
        } catch (error) {
          // What a second place sends cannot be put behind what the first one sent.
          if (hasBegun) throw error
          failure = error
        }
      }
      throw failure
    },
  }
}
