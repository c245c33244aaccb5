import type { RouteSpec, StackSpec } from '#cluster/spec'

import { environmentError } from './errors.ts'

/** What an environment is to have alone must be nobody else's yet. Errors: `environment.name_taken`, `environment.host_taken`. */
export function checkClashes(spec: StackSpec, others: readonly StackSpec[]): void {
  for (const other of others) {
    if (other.name === spec.name) continue
    for (const kind of ['network', 'volume'] as const) {
      const taken = new Set(partsOf(other, kind))
      const clash = partsOf(spec, kind).find((name) => taken.has(name))
      if (clash !== undefined)
        throw environmentError('environment.name_taken', `the ${kind} ${clash} is one of ${other.name} already`, {
          hint: 'Choose another name for the environment.',
        })
    }
    const claims = claimsOf(other.routes ?? [])
    const clash = claimsOf(spec.routes ?? []).find((claim) => claims.includes(claim))
    if (clash !== undefined)
      throw environmentError('environment.host_taken', `${clash} is answered by ${other.name} already`, {
        hint: 'Choose other hosts: `--host HOST=OTHER`, or `--host-pattern`.',
      })
  }
}

function partsOf({ networks, volumes }: StackSpec, kind: 'network' | 'volume'): readonly string[] {
  return (kind === 'network' ? networks : volumes).map(({ name }) => name)
}

/** `shop.example.com:443/api`: what one route alone can have. */
function claimsOf(routes: readonly RouteSpec[]): readonly string[] {
  return routes.flatMap(({ port, rule }) => {
    const path = rule.path.type === 'exact' ? `=${rule.path.value}` : rule.path.value
    return (rule.hosts.length === 0 ? ['*'] : rule.hosts).map((host) => `${host}:${port}${path}`)
  })
}
