/** Interpolation of variables in values, as the Compose specification's page on it says: `$V ${V} ${V:-x} ${V-x} ${V:?e} ${V?e} ${V:+x} ${V+x} $$`. */
export interface Interpolated {
  readonly text: string
  /** Variables that were not set and had no default: they became empty. */
  readonly unset: readonly string[]
  /** Empty when all is well. */
  readonly errors: readonly string[]
}

export type Lookup = (name: string) => string | undefined

/** Defaults may hold further variables; nobody nests them this deep by hand. */
const MAX_DEPTH = 20

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/

export function interpolate(text: string, lookup: Lookup, depth = 0): Interpolated {
  const unset: string[] = []
  const errors: string[] = []
  let out = ''
  let index = 0
  while (index < text.length) {
    const dollar = text.indexOf('$', index)
    if (dollar < 0) {
      out += text.slice(index)
      break
    }
    out += text.slice(index, dollar)
    const piece = readPiece(text, dollar + 1, lookup, depth)
    out += piece.text
    unset.push(...piece.unset)
    errors.push(...piece.errors)
    index = piece.end
  }
  return { text: out, unset, errors }
}

interface Piece extends Interpolated {
  readonly end: number
}

function readPiece(text: string, start: number, lookup: Lookup, depth: number): Piece {
  if (text[start] === '$') return { text: '$', unset: [], errors: [], end: start + 1 }
  if (text[start] !== '{') {
    const name = NAME.exec(text.slice(start))?.[0]
    if (name === undefined) return broken(text, start)
    return { ...plain(name, lookup), end: start + name.length }
  }
  const close = closingBrace(text, start + 1)
  if (close < 0 || depth >= MAX_DEPTH) return broken(text, start)
  const inside = text.slice(start + 1, close)
  const name = NAME.exec(inside)?.[0]
  if (name === undefined) return broken(text, start)
  const expression = expand(name, inside.slice(name.length), lookup, depth)
  return expression === undefined ? broken(text, start) : { ...expression, end: close + 1 }
}

function plain(name: string, lookup: Lookup): Interpolated {
  const value = lookup(name)
  return { text: value ?? '', unset: value === undefined ? [name] : [], errors: [] }
}

/** `rest` is what follows the name inside the braces. Undefined: not an expression. */
function expand(name: string, rest: string, lookup: Lookup, depth: number): Interpolated | undefined {
  if (rest === '') return plain(name, lookup)
  const operator = /^:?[-?+]/.exec(rest)?.[0]
  if (operator === undefined) return undefined
  const value = lookup(name)
  const isGiven = value !== undefined && (!operator.startsWith(':') || value !== '')
  const word = () => interpolate(rest.slice(operator.length), lookup, depth + 1)
  if (operator.endsWith('+')) return isGiven ? word() : { text: '', unset: [], errors: [] }
  if (isGiven) return { text: value, unset: [], errors: [] }
  if (operator.endsWith('-')) return word()
  const { text, errors } = word()
  const said = text === '' ? (value === undefined ? 'it is not set' : 'it is empty') : text
  return { text: '', unset: [], errors: [...errors, `required variable ${name} is missing a value: ${said}`] }
}

function closingBrace(text: string, from: number): number {
  let open = 1
  for (let index = from; index < text.length; index += 1) {
    if (text[index] === '$' && text[index + 1] === '{') open += 1
    if (text[index] === '}') open -= 1
    if (open === 0) return index
  }
  return -1
}

function broken(text: string, start: number): Piece {
  const shown = JSON.stringify(text.slice(start - 1, start + 20))
  const message = `invalid interpolation at ${shown}: write $$ for a plain dollar sign`
  return { text: '', unset: [], errors: [message], end: text.length }
}
