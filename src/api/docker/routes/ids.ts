import { invariant } from '#base'

import type { Call } from '../call.ts'

/** The `{id}` of the path. */
export function idOf(call: Call): string {
  return param(call, 'id')
}

export function nameOf(call: Call): string {
  return param(call, 'name')
}

function param({ params }: Call, name: string): string {
  const value = params[name]
  invariant(value !== undefined, `the route's path has a {${name}}`)
  return value
}
