import { messageOf, parseBytes, parseDurationMs } from '#base'

import { childPointer, type Problems } from './problems.ts'

/**
 * One value of the file and where it is. Reading never throws: what does not fit is reported once and reads as absent, so that the reader
 * goes on to find the rest. After interpolation every number and flag may be text.
 */
export interface Field {
  readonly at: string
  readonly value: unknown
  /** Null counts as absent, as in Compose. */
  readonly isPresent: boolean
  child(key: string): Field
  /** Of a mapping, without extension fields (`x-…`). */
  entries(): readonly (readonly [key: string, field: Field])[]
  /** Of a list; a single value is not a list. */
  items(): readonly Field[]
  isMapping(): boolean
  isList(): boolean
  text(): string | null
  flag(): boolean | null
  /** A whole number. */
  whole(options?: { readonly min?: number; readonly max?: number }): number | null
  decimal(): number | null
  bytes(): number | null
  durationMs(): number | null
  /** A list of texts; a single text counts as a list of one. Empty when absent. */
  texts(): readonly string[]
  /** A mapping, or a list of `key=value`; null: a key without a value. Empty when absent. */
  pairs(): Readonly<Record<string, string | null>>
  oneOf<T extends string>(allowed: readonly T[]): T | null
  /** Reports every field of this mapping that is not named. */
  only(names: readonly string[]): void
  refuse(message: string): void
}

export function field(problems: Problems, value: unknown, at: string): Field {
  const refuse = (message: string) => problems.add(at, message)
  const name = () => `"${at.split('/').findLast((part) => !/^\d+$/.test(part)) ?? ''}"`
  const show = () => JSON.stringify(value)
  const mustBe = (what: string): null => {
    refuse(`${name()} must be ${what}, not ${show()}`)
    return null
  }
  const isPresent = value !== null && value !== undefined
  const isMapping = () => typeof value === 'object' && value !== null && !Array.isArray(value)
  const child = (key: string) =>
    field(problems, isMapping() ? (value as Record<string, unknown>)[key] : undefined, childPointer(at, key))
  const entries = () =>
    (isMapping() ? Object.keys(value as object) : [])
      .filter((key) => !key.startsWith('x-'))
      .map((key) => [key, child(key)] as const)
  const items = () =>
    Array.isArray(value) ? value.map((item: unknown, index) => field(problems, item, childPointer(at, index))) : []
  const text = () => {
    if (!isPresent) return null
    return typeof value === 'string' ? value : typeof value === 'object' ? mustBe('text') : JSON.stringify(value)
  }
  const decimal = () => {
    if (!isPresent) return null
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    return typeof number === 'number' && Number.isFinite(number) ? number : mustBe('a number')
  }
  const parsed = <T>(parse: (text: string, what: string) => T): T | null => {
    const source = text()
    if (source === null) return null
    try {
      return parse(source, name())
    } catch (error) {
      refuse(messageOf(error))
      return null
    }
  }
  return {
    at,
    value,
    isPresent,
    child,
    entries,
    items,
    isMapping,
    isList: () => Array.isArray(value),
    text,
    flag: () => {
      if (!isPresent) return null
      if (typeof value === 'boolean') return value
      const known = typeof value === 'string' ? FLAGS[value.toLowerCase()] : undefined
      return known ?? mustBe('true or false')
    },
    whole: (options = {}) => {
      const number = decimal()
      if (number === null) return null
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = options
      return Number.isInteger(number) && number >= min && number <= max ? number : mustBe(rangeText(min, max))
    },
    decimal,
    bytes: () => parsed((source, what) => (source === '-1' ? -1 : parseBytes(source, what))),
    durationMs: () => parsed(parseDurationMs),
    texts: () => (Array.isArray(value) ? items().flatMap((item) => item.text() ?? []) : [text() ?? []].flat()),
    pairs: () =>
      Array.isArray(value) ? pairsOfList(items()) : Object.fromEntries(entries().map(([key, item]) => [key, item.text()])),
    oneOf: (allowed) => {
      const source = text()
      if (source === null) return null
      return allowed.find((candidate) => candidate === source) ?? mustBe(`one of ${allowed.join(', ')}`)
    },
    only: (names) => {
      for (const [key, item] of entries()) {
        if (item.isPresent && !names.includes(key)) item.refuse(`field "${key}" is not supported yet`)
      }
    },
    refuse,
  }
}

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  y: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  n: false,
  '0': false,
}

function pairsOfList(items: readonly Field[]): Readonly<Record<string, string | null>> {
  const texts = items.flatMap((item) => item.text() ?? [])
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=')
      return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)]
    }),
  )
}

function rangeText(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`
}
