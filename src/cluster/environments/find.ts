import type { EnvironmentRecord } from '#cluster/model'
import type { Entry } from '#cluster/store'

import { environmentError } from './errors.ts'

/** By the name of its stack, `shop/pr-42`, or `pr-42` where one application alone has it. Errors: `environment.not_found`, `environment.ambiguous`. */
export function findEnvironment(entries: readonly Entry<EnvironmentRecord>[], ref: string): Entry<EnvironmentRecord> {
  const exact = entries.find(({ value }) => value.stack === ref || `${value.application}/${value.name}` === ref)
  const named = exact === undefined ? entries.filter(({ value }) => value.name === ref) : [exact]
  const [only, ...others] = named
  if (only === undefined) throw environmentError('environment.not_found', `no such environment: ${ref.slice(0, 200)}`)
  if (others.length === 0) return only
  const paths = named.map(({ value }) => `${value.application}/${value.name}`)
  throw environmentError('environment.ambiguous', `${ref} is a name of ${paths.join(' and ')}`, {
    hint: `Say which, such as ${paths[0]}.`,
  })
}
