import { isInsecure, type RegistryOptions } from './endpoints.ts'
import { registryError } from './errors.ts'
import { SHOWN_CHARACTERS } from './limits.ts'

/**
 * The address that hands out tokens, from a challenge. It may be on another host, as the protocol has it, but then only under HTTPS; plain
 * HTTP is for hosts that may speak it, and never for a registry that itself spoke HTTPS. Error: `registry.realm_refused`.
 */
export function readRealm(realm: string | undefined, registryOrigin: string, options: Pick<RegistryOptions, 'insecure'>): URL {
  const shown = JSON.stringify((realm ?? '').slice(0, SHOWN_CHARACTERS))
  const refuse = (why: string) =>
    registryError('registry.realm_refused', `${registryOrigin} wants tokens to come from ${shown}: ${why}`)
  const url = realm === undefined ? null : URL.parse(realm)
  if (url === null) throw refuse('that is no address')
  if (url.username !== '' || url.password !== '') throw refuse('it carries a user of its own')
  if (url.protocol === 'https:') return url
  if (url.protocol !== 'http:') throw refuse('only http and https are followed')
  if (registryOrigin.startsWith('https:')) throw refuse('the registry speaks HTTPS and this does not')
  if (!isInsecure(url.host, options)) throw refuse('plain HTTP is not allowed there')
  return url
}
