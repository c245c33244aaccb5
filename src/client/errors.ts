import { declareErrors, type ErrorKind } from '#base'

export const clientError = declareErrors({
  'client.unreachable': 'unavailable',
  'client.denied': 'denied',
  'client.bad_answer': 'internal',
  'client.connection_lost': 'unavailable',
  'client.bad_context': 'invalid',
  'client.context_changed': 'conflict',
  'client.certificate_refused': 'denied',
  'client.place_invalid': 'invalid',
})

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid',
  403: 'denied',
  404: 'not_found',
  409: 'conflict',
  429: 'exhausted',
  499: 'cancelled',
  501: 'unsupported',
  503: 'unavailable',
  504: 'timeout',
}

/** The other way of the daemon's table from kinds to statuses. */
export function kindOfStatus(status: number): ErrorKind {
  return KINDS[status] ?? (status < 500 ? 'invalid' : 'internal')
}
