import { readStackSpec } from '#cluster/spec'
import { readGrant, readRule, type Grant, type RetentionRule } from '#engine/repositories'

import { apiError } from './errors.ts'
import type { ResolvedImage, StackDesired, StackValues } from './wire-stacks.ts'
import type { Shutdown } from './wire.ts'

/** Readers of request bodies. Errors: `api.bad_request`, and for the model what `#cluster/spec` says of it. */
export function readStackDesired(body: unknown): StackDesired {
  const record = asRecord(body, 'body')
  const images: Record<string, ResolvedImage> = {}
  for (const [service, value] of Object.entries(asRecord(record['images'], 'images'))) {
    const image = asRecord(value, `images.${service}`)
    images[service] = {
      reference: asText(image['reference'], `images.${service}.reference`),
      id: asText(image['id'], `images.${service}.id`),
    }
  }
  const values = record['values']
  return { model: readStackSpec(record['model']), images, ...(values === undefined ? {} : { values: readStackValues(values) }) }
}

/** What is not right about a value is told without it. */
export function readStackValues(values: unknown): StackValues {
  const record = asRecord(values, 'values')
  const of = (part: string) =>
    Object.fromEntries(
      Object.entries(asRecord(record[part] ?? {}, `values.${part}`)).map(([key, value]) => {
        if (typeof value === 'string' && BASE64.test(value)) return [key, value]
        throw apiError('api.bad_request', `values.${part}.${key} must be base64`)
      }),
    )
  return { secrets: of('secrets'), configs: of('configs') }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

export function readReference(body: unknown): string {
  return asText(asRecord(body, 'body')['ref'], 'ref')
}

/** The words of a command line, of which some may be empty. */
export function readWords(body: unknown): readonly string[] {
  const { words } = asRecord(body, 'body')
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words
  throw apiError('api.bad_request', `words must be a list of texts, not ${show(words)}`)
}

export function readShutdown(body: unknown): Shutdown {
  const value = asRecord(body, 'body')['stopContainers']
  if (typeof value !== 'boolean') throw apiError('api.bad_request', `stopContainers must be true or false, not ${show(value)}`)
  return { stopContainers: value }
}

/** Rules as people write them. */
export function readRules(body: unknown): readonly RetentionRule[] {
  return asTexts(asRecord(body, 'body')['rules'], 'rules').map(readRule)
}

export function readGrants(body: unknown): readonly Grant[] {
  return asTexts(asRecord(body, 'body')['grants'], 'grants').map(readGrant)
}

/** undefined: the user keeps the one that there is. */
export function readPassword(body: unknown): string | undefined {
  const password = asRecord(body, 'body')['password']
  return password === undefined || password === null ? undefined : asText(password, 'password')
}

export function readFlag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name) ?? '0'
  if (['1', 'true'].includes(value)) return true
  if (['0', 'false', ''].includes(value)) return false
  throw apiError('api.bad_request', `query parameter ${name}: ${JSON.stringify(value)} is neither 1 nor 0`)
}

export function asTexts(value: unknown, place: string): readonly string[] {
  if (Array.isArray(value)) return value.map((one, index) => asText(one, `${place}[${index}]`))
  throw apiError('api.bad_request', `${place} must be a list, not ${show(value)}`)
}

export function asRecord(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw apiError('api.bad_request', `${place} must be an object, not ${show(value)}`)
  return value as Readonly<Record<string, unknown>>
}

export function asText(value: unknown, place: string): string {
  if (typeof value !== 'string' || value === '') throw apiError('api.bad_request', `${place} must be a text, not ${show(value)}`)
  return value
}

export function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 60)
}
