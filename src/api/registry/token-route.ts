import type { IncomingMessage } from 'node:http'

import { readBytes, sendJson } from '#api/http'
import { ACTIONS, allowedActions, type Account, type Action, type TokenAccess } from '#engine/repositories'

import { readBasic, type AccessNeeds, type BasicCredentials } from './authorize.ts'
import { registryApiError } from './errors.ts'
import type { Call } from './port.ts'

/** A form holds a name, a password and scopes. */
const MAX_FORM_BYTES = 64 * 1024

/** A client asks for the repositories of one push: its own, and those it could mount from. */
const MAX_SCOPES = 100

/**
 * `GET /token` (Docker's token authentication) and `POST /token` (its OAuth 2 form, password grant): a token for as much of what was asked
 * as the user may.
 */
export async function serveToken(needs: AccessNeeds, call: Call): Promise<void> {
  const form = await formOf(call)
  const credentials = call.method === 'POST' ? passwordOf(form) : basicOf(call.request)
  const account = credentials === undefined ? undefined : await signIn(needs, credentials)
  const scopes = form.getAll('scope').flatMap((scope) => scope.split(' ').filter((one) => one !== ''))
  if (scopes.length > MAX_SCOPES) throw invalid(`${scopes.length} scopes are more than ${MAX_SCOPES}`)
  const grants = [...(account?.grants ?? []), ...needs.accounts.anybody()]
  const access = scopes.flatMap((scope) => granted(scope, (name) => allowedActions(grants, name)))
  const isCatalogAllowed = account !== undefined && scopes.some((scope) => scope.startsWith('registry:catalog:'))
  const { text, expiresInS, issuedAtMs } = needs.tokens.issue({ user: account?.name ?? '', access, isCatalogAllowed })
  call.response.setHeader('Cache-Control', 'no-store')
  sendJson(call.response, 200, {
    token: text,
    access_token: text,
    expires_in: expiresInS,
    issued_at: new Date(issuedAtMs).toISOString(),
  })
}

async function formOf({ method, request, query }: Call): Promise<URLSearchParams> {
  if (method === 'GET' || method === 'HEAD') return query
  if (method === 'POST') return new URLSearchParams((await readBytes(request, MAX_FORM_BYTES)).toString('utf8'))
  throw registryApiError('registry_api.unsupported', `${method} of a token`)
}

function passwordOf(form: URLSearchParams): BasicCredentials {
  const [grant, name, password] = [form.get('grant_type'), form.get('username'), form.get('password')]
  if (grant === 'password' && name !== null && password !== null) return { name, password }
  throw invalid(`the grant ${JSON.stringify(grant)} is not one that this registry gives tokens for`, 'Use the password grant.')
}

function basicOf(request: IncomingMessage): BasicCredentials | undefined {
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ', 2)
  return scheme.toLowerCase() === 'basic' ? readBasic(value) : undefined
}

async function signIn({ accounts }: AccessNeeds, { name, password }: BasicCredentials): Promise<Account> {
  const account = await accounts.check(name, password)
  if (account !== undefined) return account
  throw registryApiError('registry_api.unauthorized', 'the user name or the password is wrong', {
    hint: 'Sign in with docker login.',
  })
}

/** `repository:team/web:pull,push` as far as it is allowed. Scopes of other kinds give nothing. */
function granted(scope: string, allowed: (name: string) => ReadonlySet<Action>): TokenAccess[] {
  const [, name, list = ''] = /^repository:([^:]+(?::\d+\/[^:]+)?):([a-z,*]+)$/.exec(scope) ?? []
  if (name === undefined) return []
  const asked = new Set(list.split(','))
  const rights = allowed(name)
  const actions = ACTIONS.filter((action) => rights.has(action) && (asked.has(action) || asked.has('*')))
  return actions.length === 0 ? [] : [{ name, actions }]
}

function invalid(why: string, hint?: string) {
  return registryApiError('registry_api.request_invalid', why, hint === undefined ? {} : { hint })
}
