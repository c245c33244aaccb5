import { declareErrors } from '#base'

export const routeError = declareErrors({
  /** Somebody else listens on the address. */
  'route.port_in_use': 'conflict',
  /** The host has no such address, or does not let us listen there. */
  'route.address_refused': 'invalid',
  /** Names or addresses that the proxy's configuration cannot carry. */
  'route.invalid': 'invalid',
  'route.not_found': 'not_found',
  'route.haproxy_missing': 'unavailable',
  /** HAProxy does not start, does not take its configuration, or does not answer. */
  'route.haproxy_failed': 'unavailable',
  /** It lives, and did not answer in time: nobody knows what it has done of what it was told. */
  'route.haproxy_silent': 'timeout',
})
