import type { RouteSpec } from '#cluster/spec'

import { environmentError } from './errors.ts'

/** `HOST=OTHER`, or `OTHER` alone where the source has a single host. Errors: `environment.host_invalid`. */
export function readHosts(said: readonly string[], routes: readonly RouteSpec[] | undefined): Readonly<Record<string, string>> {
  const known = [...new Set((routes ?? []).flatMap(({ rule }) => rule.hosts))]
  return Object.fromEntries(
    said.map((text) => {
      const [first = '', ...rest] = text.split('=')
      if (rest.length > 0) return [first, rest.join('=')]
      const [only, ...others] = known
      if (only !== undefined && others.length === 0) return [only, first]
      throw environmentError('environment.host_invalid', `host ${first}: the application has ${known.length} hosts`, {
        hint:
          known.length === 0
            ? 'Its routes are told apart by ports alone.'
            : `Say which: HOST=${first}, HOST one of ${known.join(', ')}.`,
      })
    }),
  )
}
