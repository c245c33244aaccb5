/** Checks of foreign JSON against a type, with the compiler watching that the shape and the type agree. A complaint names its place. */
export type Shape<T> = (value: unknown, place: string, complain: (message: string) => void) => value is T

export const aText: Shape<string> = (value, place, complain): value is string =>
  typeof value === 'string' || refuse('a text', value, place, complain)

export const aFlag: Shape<boolean> = (value, place, complain): value is boolean =>
  typeof value === 'boolean' || refuse('true or false', value, place, complain)

export function aWhole(min: number, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, place, complain): value is number =>
    (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) ||
    refuse(`a whole number from ${min} to ${max}`, value, place, complain)
}

export function aNumber(min: number, max: number): Shape<number> {
  return (value, place, complain): value is number =>
    (typeof value === 'number' && value >= min && value <= max) ||
    refuse(`a number from ${min} to ${max}`, value, place, complain)
}

/** Durations of half a millisecond exist. */
export const aDuration: Shape<number> = (value, place, complain): value is number =>
  (typeof value === 'number' && Number.isFinite(value) && value >= 0) || refuse('milliseconds', value, place, complain)

export function oneOf<const T extends string>(...allowed: readonly T[]): Shape<T> {
  return (value, place, complain): value is T =>
    allowed.some((known) => known === value) || refuse(`one of ${allowed.join(', ')}`, value, place, complain)
}

export function matching(pattern: RegExp, what: string): Shape<string> {
  return (value, place, complain): value is string =>
    (typeof value === 'string' && pattern.test(value)) || refuse(what, value, place, complain)
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, place, complain): value is T | null => value === null || shape(value, place, complain)
}

/** A field that may be left out. */
export function orAbsent<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, place, complain): value is T | undefined => value === undefined || shape(value, place, complain)
}

export function listOf<T>(shape: Shape<T>, max: number): Shape<readonly T[]> {
  return (value, place, complain): value is readonly T[] => {
    if (!Array.isArray(value) || value.length > max)
      return refuse(`a list of at most ${max}`, Array.isArray(value) ? value.length : value, place, complain)
    return value.map((item, index) => shape(item, `${place}[${index}]`, complain)).every(Boolean)
  }
}

export function pairOf<T>(shape: Shape<T>): Shape<readonly [T, T]> {
  return (value, place, complain): value is readonly [T, T] =>
    Array.isArray(value) && value.length === 2
      ? value.map((item, index) => shape(item, `${place}[${index}]`, complain)).every(Boolean)
      : refuse('a list of two', value, place, complain)
}

export const texts = listOf(aText, 10_000)

export const textMap: Shape<Readonly<Record<string, string>>> = (
  value,
  place,
  complain,
): value is Readonly<Record<string, string>> => {
  if (!isRecord(value)) return refuse('a mapping', value, place, complain)
  return Object.entries(value)
    .map(([key, item]) => aText(item, `${place}.${key}`, complain))
    .every(Boolean)
}

export function objectOf<T extends object>(fields: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  return (value, place, complain): value is T => {
    if (!isRecord(value)) return refuse('a mapping', value, place, complain)
    const unknown = Object.keys(value).filter((key) => !Object.hasOwn(fields, key))
    for (const key of unknown) complain(`${place}.${key} is unknown`)
    const checked = (Object.keys(fields) as (keyof T & string)[]).map((key) =>
      fields[key](value[key], `${place}.${key}`, complain),
    )
    return unknown.length === 0 && checked.every(Boolean)
  }
}

/** Of objects that their field `type` tells apart. */
export function variantsOf<T extends { readonly type: string }>(shapes: {
  readonly [K in T['type']]: Shape<Extract<T, { type: K }>>
}): Shape<T> {
  return (value, place, complain): value is T => {
    const type = isRecord(value) ? value['type'] : undefined
    if (typeof type !== 'string' || !Object.hasOwn(shapes, type))
      return refuse(`one of ${Object.keys(shapes).join(', ')}`, type, `${place}.type`, complain)
    return (shapes[type as T['type']] as Shape<T>)(value, place, complain)
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(what: string, value: unknown, place: string, complain: (message: string) => void): false {
  complain(`${place} must be ${what}, not ${(JSON.stringify(value) ?? 'absent').slice(0, 60)}`)
  return false
}
