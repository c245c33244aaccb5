import { isObject, type JsonObject } from '#api/http'

import { dockerError } from '../errors.ts'

/** Reads fields of a request by type, by name in whatever case, as Go does. Absent, null and Go's zero value are the same. Each error (`docker.field_invalid`) names the field's path. */
export interface Reader {
  readonly at: string
  text(name: string): string
  bool(name: string): boolean
  /** null when absent or null; 0 is a value. */
  int(name: string): number | null
  /** null when absent or null, so that an empty list can be told from none. */
  texts(name: string): readonly string[] | null
  texts(name: string, absent: readonly string[]): readonly string[]
  textMap(name: string): Readonly<Record<string, string>>
  /** Keys of an object whose values say nothing: `{"80/tcp": {}}`. */
  keys(name: string): readonly string[]
  /** A reader of an empty object when absent. */
  inner(name: string): Reader
  innerOrNull(name: string): Reader | null
  list(name: string): readonly Reader[]
  map(name: string): readonly (readonly [key: string, value: Reader])[]
  raw(name: string): unknown
}

export function readerOf(object: JsonObject, at = ''): Reader {
  let byLowerName: ReadonlyMap<string, unknown> | undefined
  const raw = (name: string) => {
    if (Object.hasOwn(object, name)) return object[name]
    byLowerName ??= new Map(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value]))
    return byLowerName.get(name.toLowerCase())
  }
  const path = (name: string) => (at === '' ? name : `${at}.${name}`)
  const wrong = (name: string, wanted: string) =>
    dockerError('docker.field_invalid', `${path(name)}: ${JSON.stringify(raw(name)).slice(0, 100)} is not ${wanted}`)
  const typed = <T>(name: string, wanted: string, absent: T, check: (value: unknown) => T | undefined): T => {
    const value = raw(name)
    if (value === undefined || value === null) return absent
    const checked = check(value)
    if (checked === undefined) throw wrong(name, wanted)
    return checked
  }
  const object_ = (name: string) => typed(name, 'an object', null, (value) => (isObject(value) ? value : undefined))
  const entries = (name: string) => Object.entries(object_(name) ?? {})
  const innerOrNull = (name: string) => {
    const value = object_(name)
    return value === null ? null : readerOf(value, path(name))
  }
  const texts = (name: string, absent: readonly string[] | null = null) => typed(name, 'a list of texts', absent, textsOf)
  return {
    at,
    raw,
    text: (name) => typed(name, 'a text', '', (value) => (typeof value === 'string' ? value : undefined)),
    bool: (name) => typed(name, 'true or false', false, (value) => (typeof value === 'boolean' ? value : undefined)),
    int: (name) => typed(name, 'a whole number', null, (value) => (Number.isSafeInteger(value) ? (value as number) : undefined)),
    texts: texts as Reader['texts'],
    textMap: (name) => {
      if (entries(name).some(([, value]) => typeof value !== 'string')) throw wrong(name, 'a map of texts')
      return Object.fromEntries(entries(name)) as Record<string, string>
    },
    keys: (name) => entries(name).map(([key]) => key),
    innerOrNull,
    inner: (name) => innerOrNull(name) ?? readerOf({}, path(name)),
    list: (name) => {
      const values = typed(name, 'a list', [], (value) => (Array.isArray(value) ? (value as unknown[]) : undefined))
      if (!values.every(isObject)) throw wrong(name, 'a list of objects')
      return values.map((value, index) => readerOf(value, `${path(name)}[${index}]`))
    },
    map: (name) =>
      entries(name).map(([key, value]) => {
        if (value !== null && !isObject(value)) throw wrong(name, 'a map of objects')
        return [key, readerOf(value ?? {}, `${path(name)}[${key}]`)] as const
      }),
  }
}

/** The command fields also take a bare text in old clients. */
function textsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) && value.every((element) => typeof element === 'string') ? value : undefined
}
