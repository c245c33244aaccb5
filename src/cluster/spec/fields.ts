import { messageOf, parseBytes, parseDurationMs } from '#base'

import { childPointer, type Complaints } from './problems.ts'
import { childOf, isNull, plain, type Origin, type SourceNode } from './source-node.ts'

/**
 * One value of the file and where it is. Reading never throws: what does not fit is reported once and reads as absent, so that the reader
 * goes on to find the rest. After interpolation every number and flag may be text.
 */
export interface Field {
  readonly at: string
  /** Of the file that says it: where its relative paths start, and its variables. */
  readonly origin: Origin
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
  /** Reports every field of this mapping that is not named, with the reason where there is one. */
  only(names: readonly string[], reasons?: Readonly<Record<string, string>>): void
  refuse(message: string): void
}

/** `parent`: whose origin counts when the value itself is not there. */
export function field(complaints: Complaints, node: SourceNode | undefined, at: string, parent?: Origin): Field {
  const origin = node?.spot.origin ?? parent ?? NOWHERE
  const value = node?.kind === 'scalar' ? node.value : undefined
  const refuse = (message: string) => complaints.add(at, message)
  const name = () => `"${at.split('/').findLast((part) => !/^\d+$/.test(part)) ?? ''}"`
  const show = () => JSON.stringify(plain(node))
  const mustBe = (what: string): null => {
    refuse(`${name()} must be ${what}, not ${show()}`)
    return null
  }
  const isPresent = !isNull(node)
  const isMapping = () => node?.kind === 'map'
  const child = (key: string) =>
    field(complaints, node?.kind === 'map' ? childOf(node, key) : undefined, childPointer(at, key), origin)
  const entries = () =>
    (node?.kind === 'map' ? [...node.entries.keys()] : [])
      .filter((key) => !key.startsWith('x-'))
      .map((key) => [key, child(key)] as const)
  const items = () =>
    node?.kind === 'list' ? node.items.map((item, index) => field(complaints, item, childPointer(at, index), origin)) : []
  const text = () => {
    if (!isPresent) return null
    return typeof value === 'string' ? value : node?.kind === 'scalar' ? JSON.stringify(value) : mustBe('text')
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
    origin,
    get value() {
      return plain(node)
    },
    isPresent,
    child,
    entries,
    items,
    isMapping,
    isList: () => node?.kind === 'list',
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
    texts: () => (node?.kind === 'list' ? items().flatMap((item) => item.text() ?? []) : [text() ?? []].flat()),
    pairs: () =>
      node?.kind === 'list' ? pairsOfList(items()) : Object.fromEntries(entries().map(([key, item]) => [key, item.text()])),
    oneOf: (allowed) => {
      const source = text()
      if (source === null) return null
      return allowed.find((candidate) => candidate === source) ?? mustBe(`one of ${allowed.join(', ')}`)
    },
    only: (names, reasons = {}) => {
      for (const [key, item] of entries()) {
        if (!item.isPresent || names.includes(key)) continue
        item.refuse(`field "${key}" is not supported${Object.hasOwn(reasons, key) ? `: ${reasons[key]}` : ' yet'}`)
      }
    },
    refuse,
  }
}

/** Of what no file says. */
const NOWHERE: Origin = { file: '', directory: '/', lookup: () => undefined }

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

/** A key without a value has an empty one. */
export function withoutNulls(pairs: Readonly<Record<string, string | null>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key, value ?? '']))
}
