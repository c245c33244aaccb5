import { messageOf } from '#base'
import { isObject, type Query } from '#api/http'
import type { ClassicBuildRequest, Credentials } from '#engine/builder'
import { parseReference } from '#oci/reference'

import { dockerError } from '../errors.ts'

/** What the CLI sends for options that nobody chose. */
const UNSET: ReadonlySet<string> = new Set(['', '0', '[]', '{}', 'null', 'false'])

/** Options of the classic builder that ours does not have, and why. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  squash: 'layers are not merged; copy what is wanted into a last stage FROM scratch',
  securityopt: 'commands of builds run under the profile of all containers; RUN --security=insecure is an entitlement',
  isolation: 'it is for containers of Windows',
  outputs: 'it is for BuildKit',
  session: 'it is for BuildKit',
}
/** Words of options that ask for what happens anyway. */
const USUAL: Readonly<Record<string, string>> = { isolation: 'default' }

/** The query of POST /build, and `X-Registry-Config`. `rm` and `forcerm` are for intermediate containers, of which none are left in any case. Errors: `docker.option_unsupported`, `docker.field_invalid`. */
export function buildRequest(query: Query, registryConfig?: string | readonly string[]): ClassicBuildRequest {
  const version = query.text('version')
  if (version !== '' && version !== '1')
    throw dockerError('docker.option_unsupported', `build: builder version ${version} (BuildKit) is not supported`, {
      hint: 'Set DOCKER_BUILDKIT=0.',
    })
  for (const [name, why] of Object.entries(UNSUPPORTED)) {
    const text = query.text(name)
    if (!UNSET.has(text) && text !== USUAL[name])
      throw dockerError(
        'docker.option_unsupported',
        `build: query ${name} is not supported (it is ${JSON.stringify(text.slice(0, 100))}): ${why}`,
      )
  }
  return {
    tags: query.texts('t').filter((tag) => tag !== ''),
    remote: query.text('remote'),
    dockerfile: query.text('dockerfile') || 'Dockerfile',
    buildArgs: buildArgs(query),
    labels: labels(query),
    target: query.text('target'),
    isCacheOff: query.bool('nocache'),
    cacheFrom: cacheFrom(query),
    credentialsFor: registryCredentials(registryConfig),
    shouldPull: query.bool('pull'),
    isQuiet: query.bool('q'),
    networkMode: query.text('networkmode') || 'default',
    extraHosts: query
      .texts('extrahosts')
      .flatMap((hosts) => hosts.split(','))
      .filter((host) => host !== ''),
    limits: {
      memoryBytes: query.int('memory') || null,
      memorySwapBytes: query.int('memswap') || null,
      cpuShares: query.int('cpushares') || null,
      cpuPeriodUs: query.int('cpuperiod') || null,
      cpuQuotaUs: query.int('cpuquota') || null,
      cpusetCpus: query.text('cpusetcpus'),
      cpusetMems: query.text('cpusetmems'),
      cgroupParent: query.text('cgroupparent'),
      ulimits: ulimits(query),
      shmBytes: query.int('shmsize') || null,
    },
    platform: query.text('platform'),
  }
}

function jsonList(query: Query, name: string): readonly unknown[] {
  const parsed = json(query, name)
  if (parsed === null) return []
  if (!Array.isArray(parsed) || parsed.length > MAX_LIST)
    throw dockerError('docker.field_invalid', `build: query ${name} is not a JSON list of at most ${MAX_LIST}`)
  return parsed
}

/** More is no honest use. */
const MAX_LIST = 100

/** Clients name images here whether they carry a cache or not. */
function cacheFrom(query: Query): readonly string[] {
  return jsonList(query, 'cachefrom').map((name) => {
    if (typeof name === 'string') return name
    throw dockerError('docker.field_invalid', 'build: query cachefrom holds a value that is not a text')
  })
}

function ulimits(query: Query): ClassicBuildRequest['limits']['ulimits'] {
  return jsonList(query, 'ulimits').map((limit) => {
    const { Name, Soft, Hard } = isObject(limit) ? limit : {}
    if (typeof Name === 'string' && typeof Soft === 'number' && typeof Hard === 'number')
      return { name: Name.toLowerCase(), soft: Soft, hard: Hard }
    throw dockerError('docker.field_invalid', `build: query ulimits holds ${JSON.stringify(limit)?.slice(0, 100)}`)
  })
}

/** `X-Registry-Config`: base64url of a JSON object by server, in the names that `docker login` uses. */
function registryCredentials(header: string | readonly string[] | undefined): ClassicBuildRequest['credentialsFor'] {
  if (typeof header !== 'string' || header === '') return () => null
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
  } catch (error) {
    throw dockerError('docker.field_invalid', 'X-Registry-Config is not base64 of JSON', { cause: error })
  }
  const known = new Map<string, Credentials>()
  for (const [server, fields] of Object.entries(isObject(parsed) ? parsed : {}))
    if (isObject(fields)) known.set(hostOf(server), textsOf(fields))
  return (reference) => known.get(hostOf(parseReference(reference).registry)) ?? null
}

/** One registry has several names, and a server may be written as an address. */
function hostOf(server: string): string {
  const host = server.replace(/^https?:\/\//, '').split('/')[0] ?? ''
  return ['index.docker.io', 'registry-1.docker.io'].includes(host) ? 'docker.io' : host
}

function textsOf(fields: Readonly<Record<string, unknown>>): Credentials {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

function json(query: Query, name: string): unknown {
  const text = query.text(name)
  if (text === '') return null
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw dockerError('docker.field_invalid', `build: query ${name} is not JSON: ${messageOf(error)}`, { cause: error })
  }
}

function jsonMap(query: Query, name: string): Readonly<Record<string, unknown>> {
  const parsed = json(query, name)
  if (parsed === null) return {}
  if (!isObject(parsed)) throw dockerError('docker.field_invalid', `build: query ${name} is not a JSON object`)
  return parsed
}

function buildArgs(query: Query): Readonly<Record<string, string | null>> {
  const args = jsonMap(query, 'buildargs')
  if (!Object.values(args).every((value) => value === null || typeof value === 'string'))
    throw dockerError('docker.field_invalid', 'build: query buildargs holds a value that is not a text')
  return args as Readonly<Record<string, string | null>>
}

function labels(query: Query): Readonly<Record<string, string>> {
  const values = jsonMap(query, 'labels')
  if (!Object.values(values).every((value) => typeof value === 'string'))
    throw dockerError('docker.field_invalid', 'build: query labels holds a value that is not a text')
  return values as Readonly<Record<string, string>>
}
