import { printf } from './printf.ts'
import { isTrue, show } from './show.ts'

export type TemplateFunction = (...values: readonly unknown[]) => unknown

/** What a function says to arguments that it cannot take; the evaluator adds the place. */
export class WrongArguments extends Error {}

const need = (condition: boolean, what: string): void => {
  if (!condition) throw new WrongArguments(what)
}
const text = (value: unknown, name: string): string => {
  need(typeof value === 'string', `${name} takes a text, and not ${kindOf(value)}`)
  return value as string
}
const count = (values: readonly unknown[], least: number, most: number, name: string): void =>
  need(
    values.length >= least && values.length <= most,
    `${name} takes ${least === most ? least : `${least} to ${most}`} arguments, and not ${values.length}`,
  )

/** Go's own functions (text/template, "Functions") and those that the docker CLI adds. `and` and `or` are the evaluator's: they end early. */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: (...values) => {
    count(values, 1, 1, 'json')
    return JSON.stringify(values[0] ?? null)
  },
  lower: (...values) => one(values, 'lower').toLowerCase(),
  upper: (...values) => one(values, 'upper').toUpperCase(),
  title: (...values) => one(values, 'title').replace(/(?<![\p{L}\p{N}_'])\p{L}/gu, (letter) => letter.toUpperCase()),
  split: (...values) => {
    count(values, 2, 2, 'split')
    return text(values[0], 'split').split(text(values[1], 'split'))
  },
  join: (...values) => {
    count(values, 2, 2, 'join')
    need(Array.isArray(values[0]), `join takes a list, and not ${kindOf(values[0])}`)
    return (values[0] as readonly unknown[]).map(show).join(text(values[1], 'join'))
  },
  pad: (...values) => {
    count(values, 3, 3, 'pad')
    const [value, left, right] = [text(values[0], 'pad'), width(values[1], 'pad'), width(values[2], 'pad')]
    return value === '' ? '' : ' '.repeat(left) + value + ' '.repeat(right)
  },
  truncate: (...values) => {
    count(values, 2, 2, 'truncate')
    return [...text(values[0], 'truncate')].slice(0, width(values[1], 'truncate')).join('')
  },
  len: (...values) => {
    count(values, 1, 1, 'len')
    const [value] = values
    if (typeof value === 'string') return Buffer.byteLength(value)
    need(typeof value === 'object' && value !== null, `len takes a text, a list or a map, and not ${kindOf(value)}`)
    return Array.isArray(value) ? value.length : Object.keys(value as object).length
  },
  index: (...values) => {
    need(values.length > 0, 'index takes a list or a map, and where to look in it')
    return values.slice(1).reduce(indexed, values[0])
  },
  slice: (...values) => {
    count(values, 1, 3, 'slice')
    const [value, from = 0, to = (value as string | undefined)?.length] = values
    need(typeof value === 'string' || Array.isArray(value), `slice takes a text or a list, and not ${kindOf(value)}`)
    const size = (value as string).length
    if (!isPlace(from, size) || !isPlace(to, size) || from > to)
      throw new WrongArguments(`slice: ${show(from)} to ${show(to)} is not inside of ${size}`)
    return (value as string).slice(from, to)
  },
  print: (...values) => print(values),
  println: (...values) => `${values.map(show).join(' ')}\n`,
  printf: (...values) => printf(text(values[0], 'printf'), values.slice(1)),
  not: (...values) => {
    count(values, 1, 1, 'not')
    return !isTrue(values[0])
  },
  eq: (...values) => {
    need(values.length >= 2, 'eq takes two arguments or more')
    return values.slice(1).some((value) => compare(values[0], value, 'eq') === 0)
  },
  ne: (...values) => two(values, 'ne', (order) => order !== 0),
  lt: (...values) => two(values, 'lt', (order) => order < 0),
  le: (...values) => two(values, 'le', (order) => order <= 0),
  gt: (...values) => two(values, 'gt', (order) => order > 0),
  ge: (...values) => two(values, 'ge', (order) => order >= 0),
  urlquery: (...values) => encodeURIComponent(print(values)).replaceAll('%20', '+'),
}

/** In the heading of a table the names of fields stand for their values: what changes or takes apart texts leaves them whole. */
export const HEADING_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  ...FUNCTIONS,
  ...Object.fromEntries(
    ['json', 'lower', 'upper', 'title', 'split', 'join', 'pad', 'truncate'].map((name) => [
      name,
      (...values: readonly unknown[]) => values[0],
    ]),
  ),
}

export const FUNCTION_NAMES: readonly string[] = ['and', 'or', ...Object.keys(FUNCTIONS)].toSorted()

function one(values: readonly unknown[], name: string): string {
  count(values, 1, 1, name)
  return text(values[0], name)
}

/** Longer lines than this are no lines; a template must not ask for gigabytes of spaces. */
const MAX_WIDTH = 10_000

function width(value: unknown, name: string): number {
  need(
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_WIDTH,
    `${name}: ${show(value)} is not a width`,
  )
  return value as number
}

function isPlace(value: unknown, size: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= size
}

function indexed(value: unknown, key: unknown): unknown {
  if (Array.isArray(value) || typeof value === 'string') {
    need(isPlace(key, value.length - 1), `index: ${show(key)} is not inside of ${value.length}`)
    return typeof value === 'string' ? value.charCodeAt(key as number) : (value as readonly unknown[])[key as number]
  }
  need(typeof value === 'object' && value !== null, `index takes a list or a map, and not ${kindOf(value)}`)
  // A map's absent entry is its empty value; for texts that is the empty text.
  return Object.hasOwn(value as object, show(key)) ? (value as Readonly<Record<string, unknown>>)[show(key)] : ''
}

/** Spaces between operands where neither is a text (package fmt, Sprint). */
function print(values: readonly unknown[]): string {
  return values
    .map((value, i) =>
      i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string' ? ` ${show(value)}` : show(value),
    )
    .join('')
}

function two(values: readonly unknown[], name: string, test: (order: number) => boolean): boolean {
  count(values, 2, 2, name)
  return test(compare(values[0], values[1], name))
}

function compare(a: unknown, b: unknown, name: string): number {
  const isBasic = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value)
  if (name === 'eq' || name === 'ne') {
    if (a === b || ((a ?? null) === null && (b ?? null) === null)) return 0
    // An absent or empty value equals no other; two of different types cannot be compared.
    if ((a ?? null) === null || (b ?? null) === null) return 1
  }
  need(isBasic(a) && typeof a === typeof b, `${name} cannot compare ${kindOf(a)} with ${kindOf(b)}`)
  return (a as string) < (b as string) ? -1 : a === b ? 0 : 1
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value === undefined || value === null) return 'nothing'
  return typeof value === 'object' ? 'a map' : typeof value === 'string' ? 'a text' : `a ${typeof value}`
}
