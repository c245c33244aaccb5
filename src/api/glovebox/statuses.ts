import type { ErrorKind } from '#base'

export const API_PREFIX = '/glovebox/v1'

const STATUSES: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  denied: 403,
  exhausted: 429,
  unavailable: 503,
  timeout: 504,
  cancelled: 499,
  unsupported: 501,
  internal: 500,
}

/** The one table from kinds of errors to HTTP statuses of our own API. */
export function errorStatus(kind: ErrorKind): number {
  return STATUSES[kind]
}
