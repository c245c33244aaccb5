import { canonicalName, parseReference, withDefaultTag } from '#oci/reference'

import { connect, openWire } from './connect.ts'
import { readCredentials } from './credentials.ts'
import { registryError } from './errors.ts'
import type { TransferNeeds } from './needs.ts'
import type { ArtifactRepository, ArtifactRequest } from './port.ts'
import { pushLayer } from './push-layer.ts'
import { openRepository } from './repository.ts'
import { readDocument } from './resolve-manifest.ts'

/** Opens the repository of a reference. Errors: `registry.*`. */
export async function openArtifacts(needs: TransferNeeds, request: ArtifactRequest): Promise<ArtifactRepository> {
  const reference = withDefaultTag(parseReference(request.ref))
  await using owned = new AsyncDisposableStack()
  const wire = owned.use(openWire(needs))
  const credentials = readCredentials(request.credentials, reference.registry)
  const sessions = connect({ ...needs, wire, signal: request.signal }, reference.registry, credentials, request.use)
  const { value: session } = await sessions.next()
  if (session === undefined) throw registryError('registry.unreachable', `${reference.registry} cannot be reached`)
  const repository = openRepository(needs, session, reference.path, request.use === 'push' ? 'pull,push' : 'pull')
  const transfer = owned.use(needs.images.transfer())
  const home = canonicalName(reference)
  const stack = owned.move()
  return {
    name: home,
    manifest: async (tagOrDigest) => await readDocument(repository, tagOrDigest, null),
    blob: ({ digest, sizeBytes }) => repository.blob(digest, sizeBytes, `blob ${digest.text}`),
    hasBlob: (digest) => repository.hasBlob(digest),
    upload: (digest, body) => repository.upload(digest, body),
    putManifest: (tagOrDigest, mediaType, bytes) => repository.putManifest(tagOrDigest, mediaType, bytes),
    pushLayer: async (layer) => {
      if (!transfer.hold(layer.diffId)) throw registryError('registry.image_missing', `the layer ${layer.diffId} is not stored`)
      const push = { session, repository, home, report: () => undefined }
      return await needs.locks.run(layer.diffId, () => needs.uploads.run(() => pushLayer(needs, transfer, layer, push)))
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  }
}
