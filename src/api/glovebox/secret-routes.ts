import type { SecretKind, Secrets } from '#cluster/secrets'

import { apiError } from './errors.ts'
import type { ApiRequest } from './request.ts'
import type { SecretDetails } from './wire-secrets.ts'

const KINDS: Readonly<Record<string, SecretKind>> = { secrets: 'secret', configs: 'config' }

/** Routes below `/secrets` and `/configs`, and `/secret-key`; undefined for none of them. */
export async function answerSecrets(secrets: Secrets, request: ApiRequest): Promise<{ readonly json: unknown } | undefined> {
  const [head = '', name = '', rest = '', ...more] = request.segments
  if (more.length > 0) return undefined
  if (head === 'secret-key') return request.method === 'POST' && name === '' ? { json: await secrets.rotateKey() } : undefined
  const kind = KINDS[head]
  if (kind === undefined) return undefined
  switch (`${request.method}${name === '' ? '' : ' *'}${rest === '' ? '' : `/${rest}`}`) {
    case 'GET':
      return { json: await secrets.list(kind) }
    case 'POST': {
      const body = asRecord(await request.body())
      const wanted = { name: textOf(body, 'name'), labels: labelsOf(body), value: valueOf(body) }
      return { json: await secrets.create(kind, wanted) }
    }
    case 'GET *':
      return { json: await detailsOf(secrets, kind, name) }
    case 'POST */rotate':
      return { json: await secrets.rotate(kind, name, valueOf(asRecord(await request.body()))) }
    case 'PUT */labels':
      return { json: await secrets.setLabels(kind, name, labelsOf(asRecord(await request.body()))) }
    case 'DELETE *':
      return { json: await secrets.remove(kind, name) }
    default:
      return undefined
  }
}

async function detailsOf(secrets: Secrets, kind: SecretKind, ref: string): Promise<SecretDetails> {
  const view = await secrets.inspect(kind, ref)
  const usedBy = await secrets.usersOf(kind, view.id)
  if (kind === 'secret') return { ...view, usedBy }
  return { ...view, usedBy, value: (await secrets.configValue(view.id)).toString('base64') }
}

/* What is wrong with a body is told without any of it: a value may stand in the wrong place. */

function asRecord(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Readonly<Record<string, unknown>>
  throw apiError('api.bad_request', 'the body must be an object')
}

function textOf(body: Readonly<Record<string, unknown>>, field: string): string {
  const value = body[field]
  if (typeof value === 'string') return value
  throw apiError('api.bad_request', `${field} must be a text`)
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function valueOf(body: Readonly<Record<string, unknown>>): Buffer {
  const text = textOf(body, 'value')
  if (BASE64.test(text)) return Buffer.from(text, 'base64')
  throw apiError('api.bad_request', 'value must be base64')
}

function labelsOf({ labels = {} }: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const entries = typeof labels === 'object' && labels !== null ? Object.entries(labels) : [['', null]]
  if (entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) return Object.fromEntries(entries)
  throw apiError('api.bad_request', 'labels must be an object of texts')
}
