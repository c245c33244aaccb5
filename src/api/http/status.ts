import { GloveboxError, messageOf, type ErrorKind } from '#base'

/** The one place where a kind becomes an HTTP status. As dockerd maps its own classes; it has none for timeouts and gives 500 there. */
const STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  denied: 403,
  not_found: 404,
  conflict: 409,
  exhausted: 503,
  unavailable: 503,
  unsupported: 501,
  timeout: 500,
  cancelled: 500,
  internal: 500,
}

export function statusOf(error: unknown): number {
  return error instanceof GloveboxError ? STATUS[error.kind] : 500
}

/** What went wrong and, where the error knows it, what to do: one text, because clients show nothing but `message`. */
export function messageFor(error: unknown): string {
  const message = messageOf(error)
  if (!(error instanceof GloveboxError) || error.hint === undefined) return message
  return /[.!?)]$/.test(message) ? `${message} ${error.hint}` : `${message}. ${error.hint}`
}
