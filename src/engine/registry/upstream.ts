import type { ByteSource } from '#engine/content'
import type { VerifiableDigest } from '#oci/digest'

import { connect, openWire } from './connect.ts'
import { NO_CREDENTIALS } from './credentials.ts'
import type { TransferNeeds } from './needs.ts'
import { openRepository, type Repository } from './repository.ts'
import { readDocument } from './resolve-manifest.ts'

/** Another registry, as one that keeps copies of it sees it: asked as nobody in particular, its own mirrors first. */
export interface Upstream {
  /** By tag or digest; the bytes have what was promised of them. Errors: `registry.*`, `manifest.*`, `digest.*`. */
  manifest(
    path: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string }>
  /** Not checked: whoever keeps the bytes has to. */
  blob(path: string, digest: VerifiableDigest, sizeBytes: number, signal: AbortSignal): ByteSource
}

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
