import type { Environments, NewEnvironment } from '#cluster/environments'

import { apiError } from './errors.ts'
import { asRecord, asText, asTexts, readFlag, readStackValues, show } from './read.ts'
import type { ApiAnswer, ApiRequest } from './request.ts'

/** Routes below `/environments`; undefined for none of them. A name may hold a slash (`shop/pr-42`) and so comes as one escaped segment. */
export async function answerEnvironments(environments: Environments, request: ApiRequest): Promise<ApiAnswer | undefined> {
  const [, name = '', part = '', other = ''] = request.segments
  const shape = [
    request.method,
    ...(name === '' ? [] : ['*']),
    ...(part === '' ? [] : [part]),
    ...(other === '' ? [] : ['*']),
  ].join(' ')
  switch (shape) {
    case 'GET':
      return { json: await environments.list() }
    case 'POST':
      return { json: await environments.create(readNew(await request.body()), request.actor()) }
    case 'GET *':
      return { json: await environments.get(name) }
    case 'DELETE *':
      return { json: await environments.remove(name, request.signal, request.actor()) }
    case 'PUT * settings': {
      const body = asRecord(await request.body(), 'body')
      return { json: await environments.set(name, asTexts(body['settings'], 'settings'), request.actor()) }
    }
    case 'PUT * life':
      return { json: await environments.extend(name, readLife(asRecord(await request.body(), 'body'))) }
    case 'GET * diff *':
      return { json: await environments.diff(name, other, { isWhole: readFlag(request.query, 'all') }) }
    default:
      return undefined
  }
}

const FIELDS = ['name', 'from', 'settings', 'hostPattern', 'hosts', 'lifeMs', 'values', 'hasWritableBinds']

function readNew(body: unknown): NewEnvironment {
  const record = asRecord(body, 'body')
  const unknown = Object.keys(record).find((field) => !FIELDS.includes(field))
  if (unknown !== undefined)
    throw apiError('api.bad_request', `an environment has no ${show(unknown)}`, {
      hint: /data|volume/i.test(unknown)
        ? 'Volumes of an environment begin empty: their data is not copied.'
        : `It has ${FIELDS.join(', ')}.`,
    })
  const { settings = [], hosts = [], hostPattern, values, hasWritableBinds = false } = record
  if (typeof hasWritableBinds !== 'boolean')
    throw apiError('api.bad_request', `hasWritableBinds must be true or false, not ${show(hasWritableBinds)}`)
  return {
    name: asText(record['name'], 'name'),
    from: asText(record['from'], 'from'),
    settings: asTexts(settings, 'settings'),
    hosts: asTexts(hosts, 'hosts'),
    hostPattern: hostPattern === undefined ? null : asText(hostPattern, 'hostPattern'),
    lifeMs: readLife(record),
    values: values === undefined ? { secrets: {}, configs: {} } : readStackValues(values),
    hasWritableBinds,
  }
}

function readLife({ lifeMs }: Readonly<Record<string, unknown>>): number | null {
  if (lifeMs === null || (typeof lifeMs === 'number' && Number.isSafeInteger(lifeMs))) return lifeMs
  throw apiError('api.bad_request', `lifeMs must be a whole number of milliseconds or null, not ${show(lifeMs)}`)
}
