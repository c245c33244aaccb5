import type { ServerResponse } from 'node:http'

import { sendBytes, sendJson } from '#api/http'
import { MAX_PAGE, type Page, type PageRequest, type Repositories } from '#engine/repositories'
import { MEDIA_TYPES } from '#oci/image'

import { registryApiError } from './errors.ts'
import type { Call } from './port.ts'

/** distribution-spec, "Listing Tags". */
export function serveTags(repositories: Repositories, call: Call, name: string): void {
  readOnly(call)
  call.demand(name, 'pull')
  const page = repositories.tags(name, pageRequest(call))
  link(call.response, `/v2/${name}/tags/list`, call, page)
  sendJson(call.response, 200, { name, tags: page.names })
}

/** `GET /v2/_catalog` (Docker's registry API): the repositories that whoever asks may pull from. */
export function serveCatalog(repositories: Repositories, call: Call): void {
  readOnly(call)
  const { limit, after } = pageRequest(call)
  const names: string[] = []
  let last = after
  let hasMore = true
  while (hasMore && names.length <= limit) {
    const page = repositories.list({ limit: MAX_PAGE, ...(last === undefined ? {} : { after: last }) })
    names.push(...page.names.filter((name) => call.may(name, 'pull')))
    last = page.names.at(-1)
    hasMore = page.hasMore
  }
  const page = { names: names.slice(0, limit), hasMore: names.length > limit }
  link(call.response, '/v2/_catalog', call, page)
  sendJson(call.response, 200, { repositories: page.names })
}

/** distribution-spec, "Listing Referrers": an image index, empty when there are none. */
export function serveReferrers(repositories: Repositories, call: Call, name: string, digest: string): void {
  readOnly(call)
  call.demand(name, 'pull')
  const artifactType = call.query.get('artifactType') ?? undefined
  const manifests = repositories.referrers(name, digest, artifactType).map((one) => ({
    mediaType: one.mediaType,
    digest: one.digest,
    size: one.sizeBytes,
    ...(one.artifactType === '' ? {} : { artifactType: one.artifactType }),
    ...(Object.keys(one.annotations).length === 0 ? {} : { annotations: one.annotations }),
  }))
  if (artifactType !== undefined) call.response.setHeader('OCI-Filters-Applied', 'artifactType')
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })
  sendBytes(call.response, 200, MEDIA_TYPES.ociIndex, body)
}

function readOnly({ method }: Call): void {
  if (method !== 'GET' && method !== 'HEAD') throw registryApiError('registry_api.unsupported', `${method} of a list`)
}

function pageRequest({ query }: Call): PageRequest {
  const [n, last] = [query.get('n'), query.get('last')]
  if (n !== null && !/^\d{1,9}$/.test(n))
    throw registryApiError('registry_api.request_invalid', `n=${n.slice(0, 40)} is not a number of names`)
  return { limit: Math.min(n === null ? MAX_PAGE : Number(n), MAX_PAGE), ...(last === null ? {} : { after: last }) }
}

/** RFC 5988, as the specification asks: where the next page is. */
function link(response: ServerResponse, path: string, call: Call, page: Page): void {
  const last = page.names.at(-1)
  if (!page.hasMore || last === undefined) return
  const query = new URLSearchParams({ n: call.query.get('n') ?? String(MAX_PAGE), last })
  response.setHeader('Link', `<${path}?${query.toString()}>; rel="next"`)
}
