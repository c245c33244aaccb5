import { pipeline } from 'node:stream/promises'

import { sendEmpty } from '#api/http'
import { isKind } from '#base'
import type { ProxiedBlob } from '#engine/repositories'

import { registryApiError } from './errors.ts'
import type { Call, RegistryApiNeeds } from './port.ts'
import { readRange } from './range.ts'
import { openFile, sendFile } from './send-file.ts'

type Served = Pick<RegistryApiNeeds, 'repositories' | 'proxy'>

/** distribution-spec, "Pulling blobs" and "Deleting Blobs". */
export async function serveBlob({ repositories, proxy }: Served, call: Call, name: string, digest: string): Promise<void> {
  const { method, request, response, demand } = call
  if (method === 'DELETE') {
    demand(name, 'delete')
    await repositories.deleteBlob(name, digest)
    return sendEmpty(response, 202)
  }
  if (method !== 'GET' && method !== 'HEAD') throw registryApiError('registry_api.unsupported', `${method} of a blob`)
  demand(name, 'pull')
  const proxied =
    proxy?.covers(name) === true && !hasBlob(repositories, name, digest) ? await proxy.fetch(name, digest) : undefined
  if (proxied !== undefined) return await sendProxied(call, digest, proxied)
  const { sizeBytes } = repositories.statBlob(name, digest)
  await using file = method === 'GET' ? await openFile(repositories.blobFile(name, digest).path) : undefined
  response.setHeader('Docker-Content-Digest', digest)
  response.setHeader('ETag', `"${digest}"`)
  response.setHeader('Accept-Ranges', 'bytes')
  // The bytes of a digest never change.
  response.setHeader('Cache-Control', 'max-age=31536000')
  if (request.headers['if-none-match'] === `"${digest}"`) return sendEmpty(response, 304)
  const range = method === 'GET' ? readRange(request.headers.range, sizeBytes) : undefined
  const { startByte, endByte } = range ?? { startByte: 0, endByte: sizeBytes }
  if (range !== undefined) response.setHeader('Content-Range', `bytes ${startByte}-${endByte - 1}/${sizeBytes}`)
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': endByte - startByte,
  })
  if (file === undefined) response.end()
  else await sendFile(file, { startByte, endByte }, response)
}

/** What comes from elsewhere is passed on while it comes; HEAD is told what will come. */
async function sendProxied({ method, response }: Call, digest: string, { sizeBytes, body }: ProxiedBlob): Promise<void> {
  response.writeHead(200, {
    'Docker-Content-Digest': digest,
    'Content-Type': 'application/octet-stream',
    'Content-Length': sizeBytes,
  })
  if (method === 'HEAD') response.end()
  else await pipeline(body, response)
}

function hasBlob(repositories: Served['repositories'], name: string, digest: string): boolean {
  try {
    repositories.statBlob(name, digest)
    return true
  } catch (error) {
    if (isKind(error, 'not_found')) return false
    throw error
  }
}
