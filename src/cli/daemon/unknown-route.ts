import { GloveboxError } from '#base'

/** The daemon is older than this program: it runs on from before an update, and does not know what it is asked. */
export function isUnknownRoute(error: unknown): boolean {
  return error instanceof GloveboxError && error.code === 'api.no_such_route'
}
