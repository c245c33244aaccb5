import { isObject, type JsonObject } from '#oci/image'

import { apiError } from './errors.ts'
import type {
  BuildWish,
  WireAnnotation,
  WireBuildLimits,
  WireCachePrune,
  WireCacheSource,
  WireCacheTarget,
  WireDirectory,
  WireLayerForm,
  WireOutput,
} from './wire-builds.ts'

/** Of each list: more is no honest use. */
const MAX_LIST = 100

/** Options that are not named have their defaults; one that does not exist is refused. Error: `api.bad_request`. */
export function readBuildWish(value: unknown): BuildWish {
  const read = reader(value, 'of the build')
  const wish: BuildWish = {
    context: read('context', null, isTextOrNull),
    dockerfile: read('dockerfile', 'Dockerfile', isText),
    dockerfileText: read('dockerfileText', null, isTextOrNull),
    tags: read('tags', [], isTextList),
    args: read('args', {}, isTextMap),
    labels: read('labels', {}, isTextMap),
    target: read('target', null, isTextOrNull),
    platform: read('platform', null, isTextOrNull),
    platforms: read('platforms', [], isTextList),
    usesCache: read('usesCache', true, isFlag),
    uncachedStages: read('uncachedStages', [], isTextList),
    cacheFrom: read<readonly unknown[]>('cacheFrom', [], isList).map(readCacheSource),
    cacheTo: read<readonly unknown[]>('cacheTo', [], isList).map(readCacheTarget),
    outputs: read<readonly unknown[]>('outputs', [], isList).map(readOutput),
    annotations: read<readonly unknown[]>('annotations', [], isList).map(readAnnotation),
    provenance: read('provenance', null, isOneOf('min', 'max', null)),
    sbom: read('sbom', false, isFlag),
    limits: readLimits(read('limits', {}, isObject)),
    registryAuth: read('registryAuth', {}, (one) => isObject(one) && Object.values(one).every(isTextMap)),
    pulls: read('pulls', false, isFlag),
    network: read('network', 'default', isOneOf('default', 'none', 'host')),
    entitlements: read('entitlements', [], (one) => isTextList(one) && one.every(isEntitlement)),
    secrets: read('secrets', {}, isTextMap),
    sshAgents: read('sshAgents', {}, isTextMap),
    contexts: read('contexts', {}, isTextMap),
    directories: readDirectories(read('directories', {}, isObject)),
    call: read('call', 'build', isOneOf('build', 'check', 'outline', 'targets')),
  }
  read.rest()
  return wish
}

/** Error: `api.bad_request`. */
export function readCachePrune(value: unknown): WireCachePrune {
  const read = reader(value, 'of the prune')
  const wish: WireCachePrune = {
    all: read('all', false, isFlag),
    unusedMs: read('unusedMs', null, (one) => one === null || (Number.isSafeInteger(one) && Number(one) >= 0)),
    keepBytes: read('keepBytes', null, (one) => one === null || (Number.isSafeInteger(one) && Number(one) >= 0)),
    types: read('types', [], isTextList),
  }
  read.rest()
  return wish
}

function readOutput(value: unknown): WireOutput {
  const read = reader(value, 'of an output')
  const type = read<WireOutput['type'] | ''>('type', '', isOneOf('image', 'oci', 'docker', 'tar', 'local'))
  const output = outputOf(type, read)
  read.rest()
  return output
}

function outputOf(type: WireOutput['type'] | '', read: Read): WireOutput {
  switch (type) {
    case 'image':
      return { type, push: read('push', 'no', isOneOf('no', 'tags', 'digest')), ...readForm(read, 'gzip') }
    case 'oci':
    case 'docker':
      return { type, ...readForm(read, type === 'oci' ? 'gzip' : 'none') }
    case 'tar':
    case 'local':
      return { type }
    case '':
      throw apiError('api.bad_request', 'an output has no type', { hint: 'There are image, oci, docker, tar and local.' })
  }
}

function readCacheSource(value: unknown): WireCacheSource {
  const read = reader(value, 'of a cache')
  const type = read('type', 'registry', isOneOf('registry', 'local'))
  const source: WireCacheSource = { type, place: read('place', '', isText) }
  read.rest()
  return source
}

function readCacheTarget(value: unknown): WireCacheTarget {
  const read = reader(value, 'of a cache')
  const type = read<WireCacheTarget['type']>('type', 'registry', isOneOf('registry', 'local', 'inline'))
  const target: WireCacheTarget =
    type === 'inline'
      ? { type }
      : { type, place: read('place', '', isText), mode: read('mode', 'min', isOneOf('min', 'max')), ...readForm(read, 'gzip') }
  read.rest()
  return target
}

/** The scales of zlib and of zstd without its largest windows, which readers refuse. */
const LEVELS = { none: [0, 0], gzip: [0, 9], zstd: [1, 19] } as const

function readForm(read: Read, fallback: WireLayerForm['compression']): WireLayerForm {
  const compression = read('compression', fallback, isOneOf('none', 'gzip', 'zstd'))
  const [least, most] = LEVELS[compression]
  const isLevel = (one: unknown) =>
    one === null || (compression !== 'none' && Number.isInteger(one) && Number(one) >= least && Number(one) <= most)
  return { compression, level: read('level', null, isLevel) }
}

function readDirectories(value: JsonObject): BuildWish['directories'] {
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const read = reader(one, `of the directory ${name.slice(0, 100)}`)
      const directory: WireDirectory = { session: read('session', '', isText), layout: read('layout', null, isTextOrNull) }
      read.rest()
      return [name, directory]
    }),
  )
}

function readLimits(value: unknown): WireBuildLimits {
  const read = reader(value, 'of the limits')
  const limits: WireBuildLimits = {
    memoryBytes: read('memoryBytes', null, isCountOrNull),
    cpuShares: read('cpuShares', null, isCountOrNull),
    cpuPeriodUs: read('cpuPeriodUs', null, isCountOrNull),
    cpuQuotaUs: read('cpuQuotaUs', null, isCountOrNull),
    memorySwapBytes: read('memorySwapBytes', null, (one) => one === -1 || isCountOrNull(one)),
    cpusetCpus: read('cpusetCpus', null, isTextOrNull),
    cpusetMems: read('cpusetMems', null, isTextOrNull),
    pids: read('pids', null, isCountOrNull),
    shmBytes: read('shmBytes', null, isCountOrNull),
    ulimits: read<readonly unknown[]>('ulimits', [], isList).map(readUlimit),
    extraHosts: read('extraHosts', [], (one) => isList(one) && isTextList(one)),
    cgroupParent: read('cgroupParent', null, isTextOrNull),
  }
  read.rest()
  return limits
}

function readUlimit(value: unknown): WireBuildLimits['ulimits'][number] {
  const read = reader(value, 'of a limit')
  const limit = {
    name: read('name', '', isText),
    soft: read('soft', -1, Number.isSafeInteger),
    hard: read('hard', -1, Number.isSafeInteger),
  }
  read.rest()
  return limit
}

function readAnnotation(value: unknown): WireAnnotation {
  const read = reader(value, 'of an annotation')
  const annotation: WireAnnotation = {
    level: read('level', 'manifest', isOneOf('manifest', 'index', 'manifest-descriptor', 'index-descriptor')),
    platform: read('platform', null, isTextOrNull),
    name: read('name', '', (one) => isText(one) && one !== ''),
    value: read('value', '', isText),
  }
  read.rest()
  return annotation
}

interface Read {
  <T>(name: string, fallback: T, isRight: (one: unknown) => boolean): T
  /** Refuses what was not read. */
  rest(): void
}

function reader(value: unknown, what: string): Read {
  if (!isObject(value)) throw apiError('api.bad_request', `the options ${what} are not an object`)
  const object: JsonObject = value
  const known = new Set<string>()
  const read = <T>(name: string, fallback: T, isRight: (one: unknown) => boolean): T => {
    known.add(name)
    const found = object[name]
    if (found === undefined) return fallback
    if (isRight(found)) return found as T
    throw apiError('api.bad_request', `the option ${name} ${what} cannot be ${JSON.stringify(found)?.slice(0, 100)}`)
  }
  const rest = () => {
    const unknown = Object.keys(object).find((name) => !known.has(name))
    if (unknown !== undefined) throw apiError('api.bad_request', `there is no option ${unknown.slice(0, 100)} ${what}`)
  }
  return Object.assign(read, { rest })
}

const isText = (value: unknown) => typeof value === 'string'
const isFlag = (value: unknown) => typeof value === 'boolean'
const isTextOrNull = (value: unknown) => value === null || typeof value === 'string'
const isCountOrNull = (value: unknown) => value === null || (Number.isSafeInteger(value) && Number(value) > 0)
const isList = (value: unknown) => Array.isArray(value) && value.length <= MAX_LIST
const isEntitlement = (text: string) => text === 'network.host' || text === 'security.insecure'
const isTextList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
const isTextMap = (value: unknown) => isObject(value) && Object.values(value).every((one) => typeof one === 'string')
const isOneOf =
  (...values: readonly unknown[]) =>
  (value: unknown) =>
    values.includes(value)
