import { createRouter, type RouteSpec } from '#api/http'
import type { Role } from '#dashboard/wire'

/** An operation of one of the two APIs that the page may ask for, and who may. */
export interface Door extends RouteSpec {
  readonly role: Role
}

/** Where the operations of the Docker Engine API are for the page. Our own API's are where they are. */
export const DOCKER_PREFIX = '/docker'
const OURS = '/glovebox/v1'

const see = (path: string): Door => ({ method: 'GET', path, role: 'viewer' })
const work = (method: Door['method'], path: string): Door => ({ method, path, role: 'operator' })
const rule = (method: Door['method'], path: string): Door => ({ method, path, role: 'admin' })

/** All there is: what is not in this list is not reached from a browser. Secrets, builds, the registry's users and the daemon's end are not. */
export const DOORS: readonly Door[] = [
  see(`${OURS}/stacks`),
  see(`${OURS}/stacks/{name}`),
  see(`${OURS}/services`),
  see(`${OURS}/tasks`),
  see(`${OURS}/nodes`),
  see(`${OURS}/nodes/{name}`),
  see(`${OURS}/rebalance`),
  see(`${OURS}/jobs`),
  see(`${OURS}/jobs/{name}`),
  see(`${OURS}/jobs/{name}/runs`),
  see(`${OURS}/why`),
  see(`${OURS}/metrics/query`),
  see(`${OURS}/metrics/series`),
  see(`${OURS}/routes`),
  see(`${OURS}/routes/{id}`),
  see(`${OURS}/policy`),
  see(`${OURS}/policy/check`),
  see(`${OURS}/addresses`),
  see(`${OURS}/containers/{id}/anatomy`),
  see(`${OURS}/processes`),
  see(`${OURS}/doctor`),
  see(`${OURS}/gc`),
  see(`${OURS}/gc/preview`),
  see('/docker/containers/{id}/logs'),
  see('/docker/containers/{id}/top'),
  see('/docker/images/json'),
  see('/docker/images/{name...}/history'),
  see('/docker/volumes'),
  see('/docker/networks'),
  see('/docker/system/df'),
  see('/docker/info'),
  see('/docker/version'),

  // What shows the environment of containers: passwords are there.
  work('GET', '/docker/containers/{id}/json'),
  work('GET', `${OURS}/services/{name}`),
  work('GET', `${OURS}/history`),
  work('POST', `${OURS}/services/{name}/preview`),
  work('POST', `${OURS}/jobs/{name}/runs`),
  work('DELETE', `${OURS}/jobs/{name}/runs/{run}`),
  work('PUT', `${OURS}/jobs/{name}/suspension`),
  work('POST', '/docker/containers/{id}/start'),
  work('POST', '/docker/containers/{id}/stop'),
  work('POST', '/docker/containers/{id}/restart'),
  work('POST', '/docker/containers/{id}/pause'),
  work('POST', '/docker/containers/{id}/unpause'),
  work('PUT', `${OURS}/routes/{id}/shares`),

  rule('PUT', `${OURS}/nodes/{name}`),
  rule('DELETE', '/docker/containers/{id}'),
  rule('DELETE', '/docker/images/{name...}'),
  rule('DELETE', '/docker/volumes/{name}'),
  rule('DELETE', `${OURS}/stacks/{name}`),
  rule('POST', `${OURS}/gc`),
]

/** The door that a request is for; undefined: there is none. */
export const findDoor: (method: string, path: string) => Door | undefined = doorFinder()

function doorFinder() {
  const find = createRouter(DOORS)
  return (method: string, path: string) => find(method, path)?.route
}
