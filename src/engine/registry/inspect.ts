import { isImageConfigType, MAX_CONFIG_BYTES, parseImageConfig, platform, type ImageManifest, type Platform } from '#oci/image'
import { familiarName, familiarText, parseReference, withDefaultTag } from '#oci/reference'

import { connect, openWire } from './connect.ts'
import { readCredentials, type Credentials } from './credentials.ts'
import { registryError } from './errors.ts'
import { readWhole } from './read-whole.ts'
import type { TransferNeeds } from './needs.ts'
import type { Registries, RemoteImage } from './port.ts'
import { pullError } from './refusal.ts'
import { openRepository, type Repository } from './repository.ts'
import { readDocument } from './resolve-manifest.ts'

/** Only manifests and one configuration are read. */
export async function inspectImage(needs: TransferNeeds, request: Parameters<Registries['inspect']>[0]): Promise<RemoteImage> {
  const reference = withDefaultTag(parseReference(request.ref))
  const credentials = readCredentials(request.credentials, reference.registry)
  using wire = openWire(needs)
  let failure: unknown
  for await (const session of connect({ ...needs, wire, signal: request.signal }, reference.registry, credentials, 'pull')) {
    try {
      const repository = openRepository(needs, session, reference.path, 'pull')
      const document = await readDocument(repository, reference.digest ?? reference.tag ?? '', null)
      const { mediaType, digest, bytes } = document
      const platforms =
        document.kind === 'index'
          ? document.manifests.flatMap((entry) => (entry.platform === null ? [] : [entry.platform]))
          : await platformsOf(repository, document)
      return { mediaType, digest, sizeBytes: bytes.length, platforms }
    } catch (error) {
      failure = pullError(error, { name: familiarName(reference), text: familiarText(reference) })
      if (!session.endpoint.isMirror) break
    }
  }
  throw failure
}

/** Of something that is no image: none. */
async function platformsOf(repository: Repository, manifest: ImageManifest): Promise<readonly Platform[]> {
  if (!isImageConfigType(manifest.config.mediaType)) return []
  const bytes = await readWhole(repository, manifest.config, MAX_CONFIG_BYTES, `configuration ${manifest.config.digest.text}`)
  const { os, architecture, variant } = parseImageConfig(bytes, `configuration ${manifest.config.digest.text}`)
  return [platform(os, architecture, variant)]
}

/** Asks for nothing but to be let in. Error: `registry.unauthorized`. */
export async function signIn(
  needs: TransferNeeds,
  registry: string,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<void> {
  using wire = openWire(needs)
  for await (const session of connect({ ...needs, wire, signal }, registry, credentials, 'push')) {
    const answer = await session.send({
      method: 'GET',
      path: '/v2/',
      scopes: [],
      expect: [200, 404],
      what: `sign in to ${registry}`,
    })
    answer.discard()
    return
  }
  throw registryError('registry.unreachable', `${registry} cannot be reached`)
}
