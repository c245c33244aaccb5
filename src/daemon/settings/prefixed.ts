import { GloveboxError } from '#base'

/** The same error, whose message begins with where it comes from. */
export function prefixed(error: unknown, where: string): unknown {
  if (!(error instanceof GloveboxError)) return error
  const { code, kind, hint, details } = error
  const options = { cause: error, details, ...(hint === undefined ? {} : { hint }) }
  return new GloveboxError(code, kind, `${where}: ${error.message}`, options)
}
