import { interpolate, type Lookup } from './interpolate.ts'
import { childPointer, type Problems } from './problems.ts'

/** Fills in the variables of all strings below; keys stay as they are. Unset variables are gathered in `unset`. */
export function interpolateValues(value: unknown, at: string, lookup: Lookup, problems: Problems, unset: Set<string>): unknown {
  if (typeof value === 'string') {
    if (!value.includes('$')) return value
    const result = interpolate(value, lookup)
    for (const name of result.unset) unset.add(name)
    if (result.errors.length > 0) problems.add(at, result.errors.join('; '))
    return result.text
  }
  const below = (child: unknown, key: string | number) => interpolateValues(child, childPointer(at, key), lookup, problems, unset)
  if (Array.isArray(value)) return value.map(below)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, below(child, key)]))
  }
  return value
}
