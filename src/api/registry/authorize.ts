import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

import { allowedActions, type Accounts, type Action, type Tokens } from '#engine/repositories'

import { registryApiError } from './errors.ts'

/** What whoever asks may do, by whatever they showed. */
export interface Caller {
  /** Undefined: nobody in particular. */
  readonly user: string | undefined
  may(name: string, action: Action): boolean
}

export interface AccessNeeds {
  readonly accounts: Accounts
  readonly tokens: Tokens
}

export interface BasicCredentials {
  readonly name: string
  readonly password: string
}

/**
 * Who asks: a bearer of a token, a user with a password, or anybody. Error: `registry_api.unauthorized` for a token or password that is
 * not good; showing none is not an error here.
 */
export async function callerOf(needs: AccessNeeds, request: IncomingMessage): Promise<Caller> {
  const { accounts, tokens } = needs
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ', 2)
  const anybody = grantedTo(undefined, () => accounts.anybody())
  if (scheme === '') return anybody
  if (scheme.toLowerCase() === 'bearer') {
    const token = tokens.read(value)
    if (token === undefined) throw unauthorized('the token is not good, or no longer')
    return {
      user: token.user === '' ? undefined : token.user,
      may: (name, action) =>
        token.access.some((one) => one.name === name && one.actions.includes(action)) ||
        (token.isCatalogAllowed && action === 'pull' && grantsOf(accounts, token.user).has(name, action)) ||
        anybody.may(name, action),
    }
  }
  if (scheme.toLowerCase() !== 'basic') throw unauthorized(`the scheme ${scheme.slice(0, 40)} is not known`)
  const credentials = readBasic(value)
  const account = credentials === undefined ? undefined : await accounts.check(credentials.name, credentials.password)
  if (account === undefined) throw unauthorized('the user name or the password is wrong')
  return grantedTo(account.name, () => [...account.grants, ...accounts.anybody()])
}

function grantsOf(accounts: Accounts, user: string) {
  const grants = [...(accounts.find(user)?.grants ?? []), ...accounts.anybody()]
  return { has: (name: string, action: Action) => allowedActions(grants, name).has(action) }
}

function grantedTo(user: string | undefined, grants: () => Parameters<typeof allowedActions>[0]): Caller {
  return { user, may: (name, action) => allowedActions(grants(), name).has(action) }
}

/** RFC 7617: the first colon ends the name. */
export function readBasic(value: string): BasicCredentials | undefined {
  const text = Buffer.from(value, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

function unauthorized(why: string) {
  return registryApiError('registry_api.unauthorized', why, { hint: 'Sign in with docker login.' })
}

/** `WWW-Authenticate` for a request that needs a token, naming what it must be good for (RFC 6750, section 3). */
export function challenge(request: IncomingMessage, scope: string | undefined): string {
  const host = hostOf(request)
  // Behind a router that ends TLS. Whoever writes it himself gets an address for himself alone.
  const isTls = (request.socket as Partial<TLSSocket>).encrypted === true || request.headers['x-forwarded-proto'] === 'https'
  const scheme = isTls ? 'https' : 'http'
  const parts = [`realm="${scheme}://${host}/token"`, `service="${host}"`, ...(scope === undefined ? [] : [`scope="${scope}"`])]
  return `Bearer ${parts.join(',')}`
}

/** The name by which the client reaches us; anything that is not one is left out of headers. */
function hostOf(request: IncomingMessage): string {
  const host = request.headers.host ?? ''
  return /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : 'localhost'
}

/** Refuses unless the caller may do all of it. With no credentials shown, the answer asks for them. */
export function demandOf(caller: Caller, isShown: boolean): (name: string, ...actions: readonly Action[]) => void {
  return (name, ...actions) => {
    const missing = actions.filter((action) => !caller.may(name, action))
    if (missing.length === 0) return
    const what = `${missing.join(' and ')} of ${name}`
    // A token may be good for too little: the client then asks for one with the scope that the challenge names.
    if (!isShown || caller.user === undefined)
      throw registryApiError('registry_api.unauthorized', `${what} needs a sign-in`, { hint: 'Sign in with docker login.' })
    throw registryApiError('registry_api.denied', `${caller.user} has no right to ${what}`, {
      hint: 'Ask whoever runs the registry for it.',
      details: { name, actions: missing },
    })
  }
}
