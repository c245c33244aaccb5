import type { IncomingMessage, ServerResponse } from 'node:http'

import { sendEmpty, sendJson, type HttpApi } from '#api/http'

import { callerOf, challenge, demandOf } from './authorize.ts'
import { serveBlob } from './blobs.ts'
import { registryApiError, wireError } from './errors.ts'
import { serveCatalog, serveReferrers, serveTags } from './lists.ts'
import { serveManifest } from './manifests.ts'
import type { Call, RegistryApiNeeds } from './port.ts'
import { routeOf, type Route } from './route.ts'
import { serveToken } from './token-route.ts'
import { serveUpload, startUpload } from './uploads.ts'

/** The registry's API as a handler of requests. */
export function registryApi(needs: RegistryApiNeeds): HttpApi {
  return {
    handleRequest: (request, response) => void answer(needs, request, response),
    handleUpgrade: (_request, socket) => socket.destroy(),
    wantsUpgrade: () => false,
  }
}

async function answer(needs: RegistryApiNeeds, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = readUrl(request.url ?? '/')
  const route = url === undefined ? undefined : routeOf(url.path)
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  try {
    if (url === undefined || route === undefined)
      throw registryApiError('registry_api.route_unknown', `there is nothing at ${(request.url ?? '').slice(0, 200)}`)
    await dispatch(needs, route, await callOf(needs, route, request, response, url.query))
  } catch (error) {
    refuse(needs, request, response, route, error)
  }
}

function readUrl(text: string): { readonly path: string; readonly query: URLSearchParams } | undefined {
  const question = text.indexOf('?')
  const path = question < 0 ? text : text.slice(0, question)
  return path.startsWith('/') ? { path, query: new URLSearchParams(question < 0 ? '' : text.slice(question + 1)) } : undefined
}

async function callOf(
  needs: RegistryApiNeeds,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): Promise<Call> {
  const method = request.method ?? 'GET'
  if (route.kind === 'token') return { request, response, method, query, demand: () => undefined, may: () => false }
  const caller = await callerOf(needs, request)
  const demand = demandOf(caller, request.headers.authorization !== undefined)
  return { request, response, method, query, demand, may: (name, action) => caller.may(name, action) }
}

async function dispatch(needs: RegistryApiNeeds, route: Route, call: Call): Promise<void> {
  refusePushToCopy(needs, route, call)
  const { repositories, accounts } = needs
  switch (route.kind) {
    case 'token':
      return await serveToken(needs, call)
    case 'base':
      // Where nobody may do anything unasked, this is where a client learns how to sign in.
      if (!accounts.isOpen && call.request.headers.authorization === undefined)
        throw registryApiError('registry_api.unauthorized', 'this registry needs a sign-in')
      return sendJson(call.response, 200, {})
    case 'catalog':
      return serveCatalog(repositories, call)
    case 'tags':
      return serveTags(repositories, call, route.name)
    case 'manifest':
      return await serveManifest(needs, call, route.name, route.reference)
    case 'blob':
      return await serveBlob(needs, call, route.name, route.digest)
    case 'uploads':
      return await startUpload(repositories, call, route.name)
    case 'upload':
      return await serveUpload(repositories, call, route.name, route.id)
    case 'referrers':
      return serveReferrers(repositories, call, route.name, route.digest)
  }
}

/** What is a copy of another registry changes there. */
function refusePushToCopy({ proxy }: RegistryApiNeeds, route: Route, { method }: Call): void {
  if (method === 'GET' || method === 'HEAD' || !('name' in route) || proxy?.covers(route.name) !== true) return
  throw registryApiError('registry_api.unsupported', `${route.name} is a copy of another registry: ${method} goes there`)
}

function refuse(
  needs: RegistryApiNeeds,
  request: IncomingMessage,
  response: ServerResponse,
  route: Route | undefined,
  error: unknown,
): void {
  const { status, code, message, detail } = wireError(error)
  if (status >= 500) needs.log.error('the registry failed to answer', { method: request.method, url: request.url, error })
  if (response.headersSent || response.destroyed) return void response.destroy()
  if (status === 401) response.setHeader('WWW-Authenticate', challenge(request, scopeOf(route, request.method ?? 'GET')))
  // What was not read of a body would be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close')
  if (request.method === 'HEAD') return sendEmpty(response, status)
  sendJson(response, status, { errors: [{ code, message, detail }] })
}

/** What a token must be good for to do this. */
function scopeOf(route: Route | undefined, method: string): string | undefined {
  if (route === undefined || route.kind === 'base' || route.kind === 'token') return undefined
  if (route.kind === 'catalog') return 'registry:catalog:*'
  // Only what the grammar allows gets into a header.
  if (!/^[a-z0-9._/-]{1,255}$/.test(route.name)) return undefined
  const actions = method === 'GET' || method === 'HEAD' ? 'pull' : method === 'DELETE' ? 'delete' : 'pull,push'
  return `repository:${route.name}:${actions}`
}
