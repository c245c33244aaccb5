import { type ErrorKind, GloveboxError } from '#base'

import { clientError } from './errors.ts'

const KINDS: readonly ErrorKind[] = [
  ...(['invalid', 'not_found', 'conflict', 'denied', 'exhausted', 'unavailable', 'timeout', 'cancelled', 'unsupported'] as const),
  'internal',
]

/** A refusal that comes after the status line was sent is a line of its own: `{"error": {...}}`. */
export async function* checked<T>(values: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const value of values) {
    const error = typeof value === 'object' && value !== null && 'error' in value ? value.error : undefined
    if (error !== undefined) throw refusalOf(error)
    yield value
  }
}

/** A refusal as the daemon tells it, as an error of this program. */
export function refusalOf(error: unknown): GloveboxError {
  const words = (typeof error === 'object' && error !== null ? error : {}) as Readonly<Record<string, unknown>>
  const { message, code, kind, hint } = words
  if (typeof message !== 'string')
    return clientError('client.bad_answer', `the daemon sent a broken error: ${JSON.stringify(error)}`)
  const options = typeof hint === 'string' ? { hint } : {}
  return new GloveboxError(
    typeof code === 'string' ? code : 'daemon.failed',
    KINDS.find((known) => known === kind) ?? 'unavailable',
    message,
    options,
  )
}
