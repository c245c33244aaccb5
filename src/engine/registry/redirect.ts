import { isInsecure, type Endpoint, type RegistryOptions } from './endpoints.ts'
import { registryError } from './errors.ts'
import { SHOWN_CHARACTERS } from './limits.ts'

/**
 * Where an address of the registry's leads: the next hop of a redirect, or an upload. To any host, but from HTTPS never to plain HTTP, and to
 * plain HTTP only where that is allowed or where the registry itself is. Pure. Error: `registry.redirect_refused`.
 */
export function followRedirect(from: URL, location: string, endpoint: Endpoint, options: Pick<RegistryOptions, 'insecure'>): URL {
  const refuse = (why: string) =>
    registryError(
      'registry.redirect_refused',
      `${endpoint.origin} leads to ${JSON.stringify(location.slice(0, SHOWN_CHARACTERS))}: ${why}`,
    )
  const url = location === '' ? null : URL.parse(location, from.href)
  if (url === null) throw refuse('that is no address')
  if (url.username !== '' || url.password !== '') throw refuse('it carries a user of its own')
  if (url.protocol === 'https:') return url
  if (url.protocol !== 'http:') throw refuse('only http and https are followed')
  if (from.protocol === 'https:') throw refuse('it goes from HTTPS to plain HTTP')
  if (url.host !== endpoint.host && !isInsecure(url.host, options)) throw refuse('plain HTTP is not allowed there')
  return url
}
