import { readBytes, sendBytes, sendEmpty } from '#api/http'
import { checkDigest, isDigestReference, MAX_MANIFEST_BYTES, type Repositories } from '#engine/repositories'

import { registryApiError } from './errors.ts'
import type { Call, RegistryApiNeeds } from './port.ts'

type Served = Pick<RegistryApiNeeds, 'repositories' | 'proxy'>

/** distribution-spec, "Pulling manifests", "Pushing Manifests", "Deleting manifests" and "Deleting tags". */
export async function serveManifest({ repositories, proxy }: Served, call: Call, name: string, reference: string): Promise<void> {
  const { method, request, response, demand } = call
  if (method === 'GET' || method === 'HEAD') {
    demand(name, 'pull')
    await proxy?.freshen(name, reference)
    const { digest, mediaType, bytes } = await repositories.getManifest(name, reference)
    response.setHeader('Docker-Content-Digest', digest)
    response.setHeader('ETag', `"${digest}"`)
    if (request.headers['if-none-match'] === `"${digest}"`) return sendEmpty(response, 304)
    return sendBytes(response, 200, mediaType, bytes)
  }
  if (method === 'PUT') {
    demand(name, 'pull', 'push')
    return await putManifest(repositories, call, name, reference)
  }
  if (method !== 'DELETE') throw registryApiError('registry_api.unsupported', `${method} of a manifest`)
  demand(name, 'delete')
  await repositories.deleteManifest(name, reference)
  sendEmpty(response, 202)
}

async function putManifest(repositories: Repositories, call: Call, name: string, reference: string): Promise<void> {
  const { request, response, query } = call
  const isDigest = isDigestReference(reference)
  const tags = isDigest ? query.getAll('tag') : [reference]
  const bytes = await readBytes(request, MAX_MANIFEST_BYTES)
  const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim()
  const { digest, subject } = await repositories.putManifest(name, {
    mediaType: mediaType === undefined || mediaType === '' ? null : mediaType,
    bytes,
    tags,
    ...(isDigest ? { digest: checkDigest(reference) } : {}),
  })
  response.setHeader('Location', `/v2/${name}/manifests/${digest}`)
  response.setHeader('Docker-Content-Digest', digest)
  if (subject !== undefined) response.setHeader('OCI-Subject', subject)
  if (isDigest && tags.length > 0) response.setHeader('OCI-Tag', tags.join(', '))
  sendEmpty(response, 201)
}
