import { canonical } from './canonical.ts'

/** One field of a plain JSON value that becomes another one. `before` absent: it was not there; `after` absent: it goes. */
export interface FieldChange {
  /** Empty: the value itself. */
  readonly path: readonly string[]
  readonly before?: unknown
  readonly after?: unknown
}

/** What makes one value of the other, object by object and field by field, in the order of the keys; a list is one field. Empty exactly when both are equal. Pure. */
export function fieldChanges(before: unknown, after: unknown, path: readonly string[] = []): readonly FieldChange[] {
  if (isPlain(before) && isPlain(after)) {
    const keys = [...new Set([...keysOf(before), ...keysOf(after)])].toSorted()
    return keys.flatMap((key) => fieldChanges(own(before, key), own(after, key), [...path, key]))
  }
  if (before === undefined && after === undefined) return []
  if (before !== undefined && after !== undefined && canonical(before) === canonical(after)) return []
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

/** The value with its changes; undefined: nothing is left of it. */
export function withFieldChanges(value: unknown, changes: readonly FieldChange[]): unknown {
  return changes.reduce((now, { path, after }) => withField(now, path, after), value)
}

function withField(value: unknown, [key, ...rest]: readonly string[], after: unknown): unknown {
  if (key === undefined) return after
  const fields = new Map(isPlain(value) ? Object.entries(value) : [])
  const next = withField(fields.get(key), rest, after)
  if (next === undefined) fields.delete(key)
  else fields.set(key, next)
  return Object.fromEntries(fields)
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keysOf(value: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined)
}

function own(value: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined
}
