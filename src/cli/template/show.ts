/** How Go prints values (package fmt, the verb %v): `map[a:1]`, `[a b]`, `<nil>`. */
export function show(value: unknown): string {
  return shown(value, 0)
}

/** Answers of the API are never this deep; a cycle would be. */
const MAX_DEPTH = 200

function shown(value: unknown, depth: number): string {
  if (value === undefined) return '<no value>'
  if (value === null) return '<nil>'
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(value)
  if (depth > MAX_DEPTH) return '...'
  if (Array.isArray(value)) return `[${value.map((one) => shown(one, depth + 1)).join(' ')}]`
  if (typeof value === 'object')
    return `map[${sortedEntries(value)
      .map(([key, one]) => `${key}:${shown(one, depth + 1)}`)
      .join(' ')}]`
  return typeof value === 'boolean' ? String(value) : ''
}

/** Go goes over maps in the order of their keys. Functions are methods, and no entries. */
export function sortedEntries(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value)
    .filter(([, one]) => typeof one !== 'function')
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

function numberText(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isInteger(value))
    return Math.abs(Number(value)) < 1e21 ? BigInt(value).toString() : String(value)
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}

/** Go's notion of the empty value: what `if` and `with` do not enter. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return sortedEntries(value).length > 0
  return Boolean(value)
}
