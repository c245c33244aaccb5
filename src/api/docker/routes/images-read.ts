import { sendEmpty, sendJson, sendStream } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { filterImages } from '../image-filter.ts'
import { imageHistory, imageJson, imageSummary, sharedBytes } from '../translate/image-json.ts'
import { platformOf, requirePlatform } from '../translate/platform.ts'
import { nameOf } from './ids.ts'
import { deletedJson } from './prune.ts'

const LAST_MINOR_WITH_FILTER_QUERY = 40
/** Before, the list said -1: not counted. */
const FIRST_MINOR_WITH_CONTAINERS = 51

const TAR = 'application/x-tar'

export function listImages(call: Call, { engine, clock }: RouteContext): void {
  const { query, minor, response } = call
  const all = engine.images.list()
  // What is the filter `reference` now was a query of its own until 1.40.
  const reference = minor <= LAST_MINOR_WITH_FILTER_QUERY ? query.text('filter') : ''
  const found = filterImages(all, query.text('filters'), {
    reference,
    nowNs: clock.nowNs(),
    imageOf: (ref) => engine.images.get(ref),
  })
  const withShared = query.bool('shared-size')
  const usersOf =
    minor < FIRST_MINOR_WITH_CONTAINERS ? () => -1 : counted(engine.containers.list().map(({ spec }) => spec.imageId))
  sendJson(
    response,
    200,
    found.map((image) => ({
      ...imageSummary(image, { minor, sharedBytes: withShared ? sharedBytes(image, all) : -1, containers: usersOf(image.id) }),
      ...manifests(call, FIRST_MINOR_WITH_MANIFESTS_IN_LIST),
    })),
  )
}

const FIRST_MINOR_WITH_MANIFESTS_IN_LIST = 47
const FIRST_MINOR_WITH_MANIFESTS = 48

/** Of a pulled image its configuration and its layers are kept, not the manifest that named them: the list of manifests has none. */
function manifests({ query, minor }: Call, firstMinor: number): { readonly Manifests?: readonly never[] } {
  return minor >= firstMinor && query.bool('manifests') ? { Manifests: [] } : {}
}

function counted(ids: readonly string[]): (id: string) => number {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return (id) => counts.get(id) ?? 0
}

export function inspectImage(call: Call, { engine }: RouteContext): void {
  const { storageDriver } = engine.system.facts()
  const image = imageJson(engine.images.get(nameOf(call)), { minor: call.minor, storageDriver })
  sendJson(call.response, 200, { ...image, ...manifests(call, FIRST_MINOR_WITH_MANIFESTS) })
}

export function showHistory(call: Call, { engine }: RouteContext): void {
  const image = engine.images.get(nameOf(call))
  requirePlatform(platformOf(call.query) ?? '', image)
  sendJson(call.response, 200, imageHistory(image))
}

export async function tagImage(call: Call, { engine }: RouteContext): Promise<void> {
  const repo = call.query.text('repo')
  const tag = call.query.text('tag')
  if (repo === '') throw dockerError('docker.parameter_missing', 'invalid reference format: repo is empty')
  await engine.images.tag(nameOf(call), tag === '' ? repo : `${repo}:${tag}`)
  sendEmpty(call.response, 201)
}

export async function removeImage(call: Call, { engine }: RouteContext): Promise<void> {
  const { query } = call
  if (query.has('platforms'))
    throw dockerError('docker.option_unsupported', 'removing one platform of an image (query platforms) is not supported')
  const removed = await engine.images.remove(nameOf(call), { force: query.bool('force'), noPrune: query.bool('noprune') })
  sendJson(call.response, 200, removed.map(deletedJson))
}

/** GET /images/{name}/get. */
export async function saveImage(call: Call, { engine }: RouteContext): Promise<void> {
  requirePlatform(platformOf(call.query) ?? '', engine.images.get(nameOf(call)))
  await sendStream(call.response, TAR, await engine.images.save([nameOf(call)]))
}

/** GET /images/get?names=…. */
export async function saveImages(call: Call, { engine }: RouteContext): Promise<void> {
  const names = call.query.texts('names').filter((name) => name !== '')
  if (names.length === 0) throw dockerError('docker.parameter_missing', 'save: name at least one image (query names)')
  const platform = platformOf(call.query) ?? ''
  if (platform !== '') for (const name of names) requirePlatform(platform, engine.images.get(name))
  await sendStream(call.response, TAR, await engine.images.save(names))
}
