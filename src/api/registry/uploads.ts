import type { ServerResponse } from 'node:http'

import { sendEmpty } from '#api/http'
import { givingBack } from '#engine/content'
import { checkDigest, type BlobStat, type Repositories, type UploadStat } from '#engine/repositories'

import { registryApiError } from './errors.ts'
import type { Call } from './port.ts'
import { readChunkRange } from './range.ts'

/** `POST /v2/NAME/blobs/uploads/`: begins an upload, takes a blob in one request (`digest`), or mounts one (`mount`). */
export async function startUpload(repositories: Repositories, call: Call, name: string): Promise<void> {
  const { method, request, response, query, demand } = call
  if (method !== 'POST') throw registryApiError('registry_api.unsupported', `${method} of uploads`)
  demand(name, 'pull', 'push')
  const mount = query.get('mount')
  if (mount !== null && (await mountBlob(repositories, call, name, mount))) return sendCreated(response, name, { digest: mount })
  const digest = query.get('digest')
  const checked = digest === null ? undefined : checkDigest(digest)
  const upload = await repositories.startUpload(name)
  if (checked === undefined) return sendUpload(response, 202, name, upload)
  try {
    await repositories.appendUpload(name, upload.id, givingBack(request), promised(call))
    sendCreated(response, name, await repositories.finishUpload(name, upload.id, checked))
  } catch (error) {
    await repositories.cancelUpload(name, upload.id).catch(() => undefined)
    throw error
  }
}

/** Only from a repository that whoever asks may read: else a digest would be enough to get any blob. */
async function mountBlob(repositories: Repositories, call: Call, name: string, mount: string): Promise<boolean> {
  const { text } = checkDigest(mount)
  const from = call.query.get('from')
  const homes = from === null ? repositories.homesOf(text) : [from]
  const readable = homes.find((home) => call.may(home, 'pull'))
  return readable !== undefined && repositories.mountBlob(name, text, readable)
}

/** One upload: its state, a chunk, the end, or giving it up. */
export async function serveUpload(repositories: Repositories, call: Call, name: string, id: string): Promise<void> {
  const { method, request, response, query, demand } = call
  demand(name, 'pull', 'push')
  if (method === 'GET' || method === 'HEAD') return sendUpload(response, 204, name, await repositories.statUpload(name, id))
  if (method === 'DELETE') {
    await repositories.cancelUpload(name, id)
    return sendEmpty(response, 204)
  }
  if (method === 'PATCH')
    return sendUpload(response, 202, name, await repositories.appendUpload(name, id, givingBack(request), promised(call)))
  if (method !== 'PUT') throw registryApiError('registry_api.unsupported', `${method} of an upload`)
  const digest = checkDigest(query.get('digest') ?? '')
  await repositories.appendUpload(name, id, givingBack(request), promised(call))
  sendCreated(response, name, await repositories.finishUpload(name, id, digest))
}

/** Where a chunk goes and how long it is, as far as its headers say. */
function promised({ request }: Call): { startByte?: number; sizeBytes?: number } {
  const range = readChunkRange(request.headers['content-range'])
  const length = request.headers['content-length']
  const sizeBytes = length === undefined ? range?.sizeBytes : Number(length)
  if (range !== undefined && sizeBytes !== range.sizeBytes)
    throw registryApiError(
      'registry_api.range_invalid',
      `Content-Range has ${range.sizeBytes} bytes and Content-Length ${length}`,
    )
  return { ...(range === undefined ? {} : { startByte: range.startByte }), ...(sizeBytes === undefined ? {} : { sizeBytes }) }
}

function sendUpload(response: ServerResponse, status: 202 | 204, name: string, { id, sizeBytes }: UploadStat): void {
  response.setHeader('Location', `/v2/${name}/blobs/uploads/${id}`)
  response.setHeader('Docker-Upload-UUID', id)
  response.setHeader('Range', `0-${Math.max(0, sizeBytes - 1)}`)
  sendEmpty(response, status)
}

function sendCreated(response: ServerResponse, name: string, { digest }: Pick<BlobStat, 'digest'>): void {
  response.setHeader('Location', `/v2/${name}/blobs/${digest}`)
  response.setHeader('Docker-Content-Digest', digest)
  sendEmpty(response, 201)
}
