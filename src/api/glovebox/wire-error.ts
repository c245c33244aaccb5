import { GloveboxError, messageOf } from '#base'

import type { WireError } from './wire.ts'

/** An error as clients are told of it. */
export function wireErrorOf(error: unknown): WireError {
  if (!(error instanceof GloveboxError)) return { message: messageOf(error), code: 'invariant.broken', kind: 'internal' }
  return {
    message: error.message,
    code: error.code,
    kind: error.kind,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}
