import { messageOf } from '#base'
import { isObject, type Query } from '#api/http'
import type { ClassicBuildRequest } from '#engine/builder'

import { dockerError } from '../errors.ts'

/** What the CLI sends for options that nobody chose. */
const UNSET: ReadonlySet<string> = new Set(['', '0', '[]', '{}', 'null', 'false'])

/** Options of the classic builder that ours does not have. */
const UNSUPPORTED = 'squash cachefrom outputs session cgroupparent cpusetmems ulimits securityopt isolation'.split(' ')

/** The query of POST /build. `rm` and `forcerm` are for intermediate containers, of which none are left in any case. Errors: `docker.option_unsupported`, `docker.field_invalid`. */
export function buildRequest(query: Query): ClassicBuildRequest {
  const version = query.text('version')
  if (version !== '' && version !== '1')
    throw dockerError('docker.option_unsupported', `build: builder version ${version} (BuildKit) is not supported`, {
      hint: 'Set DOCKER_BUILDKIT=0.',
    })
  for (const name of UNSUPPORTED)
    if (!UNSET.has(query.text(name)))
      throw dockerError(
        'docker.option_unsupported',
        `build: query ${name} is not supported (it is ${JSON.stringify(query.text(name).slice(0, 100))})`,
      )
  return {
    tags: query.texts('t').filter((tag) => tag !== ''),
    remote: query.text('remote'),
    dockerfile: query.text('dockerfile') || 'Dockerfile',
    buildArgs: buildArgs(query),
    labels: labels(query),
    target: query.text('target'),
    isCacheOff: query.bool('nocache'),
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
      shmBytes: query.int('shmsize') || null,
    },
    platform: query.text('platform'),
  }
}

function jsonMap(query: Query, name: string): Readonly<Record<string, unknown>> {
  const text = query.text(name)
  if (text === '') return {}
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw dockerError('docker.field_invalid', `build: query ${name} is not JSON: ${messageOf(error)}`, { cause: error })
  }
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
