import { environmentError } from './errors.ts'

/** Between the application and the environment. Names of environments have neither two dashes in a row nor an underscore, so that no two names become one. */
const BETWEEN = '--'
/** It becomes a label of host names, which have 63 characters at most, and a part of names of containers and networks. */
const MAX_NAME = 40
const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const HOST = /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/
const MAX_HOST = 253
const MAX_LABEL = 63

/** `shop` and `pr-42`: `shop--pr-42`. Errors: `environment.name_invalid`. */
export function environmentStack(application: string, name: string): string {
  if (NAME.test(name) && name.length <= MAX_NAME) return `${application}${BETWEEN}${name}`
  throw environmentError('environment.name_invalid', `${JSON.stringify(name.slice(0, 100))} is no name of an environment`, {
    hint: `Give at most ${MAX_NAME} lower-case letters, digits and single dashes; first and last a letter or a digit.`,
  })
}

/** The application that a stack is, or is an environment of. */
export function applicationOf(stack: string): string {
  const at = stack.indexOf(BETWEEN)
  return at > 0 ? stack.slice(0, at) : stack
}

/** The part of a stack's name behind its application; undefined: it is none of an environment. */
export function environmentOf(stack: string): string | undefined {
  const at = stack.indexOf(BETWEEN)
  return at > 0 ? stack.slice(at + BETWEEN.length) : undefined
}

/** `pr-42.shop.example.com`; below a wildcard everything moves one label down: `*.pr-42.example.com`. */
export const PLAIN_PATTERN = '{name}.{host}'

/** Errors: `environment.host_invalid`. */
export function checkPattern(pattern: string): void {
  if (pattern.includes('{name}')) return
  throw environmentError(
    'environment.host_invalid',
    `the pattern ${JSON.stringify(pattern)} does not hold {name}: all environments would have the same hosts`,
  )
}

/** Errors: `environment.host_invalid`. */
export function derivedHost(
  host: string,
  pattern: string,
  names: { readonly name: string; readonly application: string },
): string {
  const isWild = host.startsWith('*.')
  const made = pattern
    .replaceAll('{name}', names.name)
    .replaceAll('{app}', names.application)
    .replaceAll('{host}', isWild ? host.slice(2) : host)
  return checkedHost(isWild ? `*.${made}` : made)
}

/** Errors: `environment.host_invalid`. */
export function checkedHost(host: string): string {
  const isGood = HOST.test(host) && host.length <= MAX_HOST && host.split('.').every((label) => label.length <= MAX_LABEL)
  if (isGood) return host
  throw environmentError('environment.host_invalid', `${JSON.stringify(host.slice(0, 300))} is no host name`)
}
