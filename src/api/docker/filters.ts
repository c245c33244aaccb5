import { isObject } from '#api/http'
import { messageOf } from '#base'

import { dockerError } from './errors.ts'
import { readTimestampNs } from './timestamps.ts'

/** A `filters` query: values by name. Within one name any value may match, names are joined by "and"; labels are joined by "and" as well. */
export interface Filters {
  has(name: string): boolean
  values(name: string): readonly string[]
  /** True when the name is absent or one of its values matches. */
  matches(name: string, isMatch: (value: string) => boolean): boolean
  /** `label` and `label!`. */
  matchesLabels(labels: Readonly<Record<string, string>>): boolean
  /** null when absent. Error: `docker.filter_invalid`. */
  flag(name: string): boolean | null
}

/** More than this in one query is not a person asking. */
const MAX_FILTER_VALUES = 1000

/** Reads `{"label": {"a=b": true}}` (the old form) and `{"label": ["a=b"]}`. Error: `docker.filter_invalid`, also for a name that is not `known`. */
export function readFilters(text: string, known: readonly string[]): Filters {
  const byName = new Map(text === '' ? [] : entriesOf(text))
  for (const name of byName.keys())
    if (!known.includes(name)) throw dockerError('docker.filter_invalid', `invalid filter '${name}'`)
  const values = (name: string) => byName.get(name) ?? []
  return {
    has: (name) => values(name).length > 0,
    values,
    matches: (name, isMatch) => values(name).length === 0 || values(name).some(isMatch),
    matchesLabels: (labels) =>
      values('label').every((wanted) => hasLabel(labels, wanted)) && !values('label!').some((wanted) => hasLabel(labels, wanted)),
    flag: (name) => {
      const [value] = values(name)
      if (value === undefined) return null
      if (value === 'true' || value === '1' || value === 'True') return true
      if (value === 'false' || value === '0' || value === 'False') return false
      throw dockerError('docker.filter_invalid', `invalid filter '${name}=${value}'`)
    },
  }
}

function entriesOf(text: string): readonly (readonly [string, readonly string[]])[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw dockerError('docker.filter_invalid', `invalid filters: ${messageOf(error)}`, { cause: error })
  }
  if (parsed === null) return []
  if (!isObject(parsed)) throw dockerError('docker.filter_invalid', 'invalid filters: not an object')
  return Object.entries(parsed).map(([name, value]) => [name, valuesOf(name, value)] as const)
}

function valuesOf(name: string, value: unknown): readonly string[] {
  const list = Array.isArray(value)
    ? (value as readonly unknown[])
    : isObject(value)
      ? Object.keys(value).filter((key) => value[key] === true)
      : null
  if (list === null || !list.every((entry) => typeof entry === 'string') || list.length > MAX_FILTER_VALUES)
    throw dockerError('docker.filter_invalid', `invalid filter '${name}': not a list of texts`)
  return list
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const mark = wanted.indexOf('=')
  const key = mark === -1 ? wanted : wanted.slice(0, mark)
  return Object.hasOwn(labels, key) && (mark === -1 || labels[key] === wanted.slice(mark + 1))
}

/** The filters of every prune: `until`, `label`, `label!`. Gives the test for what may go. */
export function pruneTest(
  text: string,
  nowNs: bigint,
  known: readonly string[] = [],
): { readonly filters: Filters; readonly isWanted: (labels: Readonly<Record<string, string>>, createdAt: string) => boolean } {
  const filters = readFilters(text, ['until', 'label', 'label!', ...known])
  if (filters.values('until').length > 1)
    throw dockerError('docker.filter_invalid', "invalid filter 'until': more than one until filter specified")
  const [until = ''] = filters.values('until')
  const untilNs = readTimestampNs(until, 'until', nowNs)
  const isOld = (createdAt: string) => untilNs === null || BigInt(Date.parse(createdAt) || 0) * 1_000_000n < untilNs
  return { filters, isWanted: (labels, createdAt) => filters.matchesLabels(labels) && isOld(createdAt) }
}

const MAX_PATTERN_LENGTH = 256

/** A pattern that a client gives, as dockerd takes them for ids and names. Repeated groups are refused: they can keep an engine with backtracking busy for ever. */
export function readPattern(name: string, text: string): RegExp {
  if (text.length > MAX_PATTERN_LENGTH || /\)[*+{]|\\[1-9k]/.test(text))
    throw dockerError(
      'docker.filter_invalid',
      `invalid filter '${name}=${text.slice(0, MAX_PATTERN_LENGTH)}': groups cannot be repeated or referred to`,
    )
  try {
    return new RegExp(text)
  } catch (error) {
    throw dockerError('docker.filter_invalid', `invalid filter '${name}=${text}': ${messageOf(error)}`, { cause: error })
  }
}

/** One that looks up a text in a pattern made of many values. */
export function patternTest(filters: Filters, name: string): (text: string) => boolean {
  const patterns = filters.values(name).map((value) => readPattern(name, value))
  return (text) => patterns.length === 0 || patterns.some((pattern) => pattern.test(text))
}
