import { httpError } from './errors.ts'

/** The query of one request, read by type. Go's clients send every option, so an empty text is the same as an absent one. */
export interface Query {
  /** Empty when absent. */
  text(name: string): string
  texts(name: string): readonly string[]
  has(name: string): boolean
  bool(name: string, absent?: boolean): boolean
  /** null when absent. Error: `http.query_invalid`. */
  int(name: string): number | null
}

const FALSE_TEXTS: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none'])

export function readQuery(search: string): Query {
  const values = new URLSearchParams(search)
  const text = (name: string) => values.get(name) ?? ''
  return {
    text,
    texts: (name) => values.getAll(name),
    has: (name) => values.has(name),
    bool: (name, absent = false) => {
      const value = values.get(name)
      return value === null ? absent : !FALSE_TEXTS.has(value.trim().toLowerCase())
    },
    int: (name) => readInteger(name, text(name)),
  }
}

function readInteger(name: string, value: string): number | null {
  if (value === '') return null
  const number = Number(value)
  if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(number))
    throw httpError('http.query_invalid', `query ${name}: ${JSON.stringify(value)} is not a whole number`)
  return number
}
