import { automaton, type Accepts, type State } from './automaton.ts'
import { patternError } from './errors.ts'

/** The longest path that Linux takes; a longer pattern can match nothing. */
const MAX_PATTERN_LENGTH = 4096

export interface Glob {
  readonly pattern: string
  matches(path: string): boolean
  /** True when the path or any directory above it matches. */
  matchesOrContains(path: string): boolean
}

export interface GlobOptions {
  /** `**` takes any number of path components, as in ignore files. Without it `**` means the same as `*`. */
  readonly hasDoubleStar: boolean
}

/**
 * Compiles a pattern of Go's `path/filepath.Match`: `*` and `?` stop at `/`, `[a-z]` and `[^a-z]` are classes, `\` takes the next
 * character literally, and the whole path must match. Throws `pattern.invalid` or `pattern.too_long`.
 */
export function compileGlob(pattern: string, options: GlobOptions): Glob {
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw patternError('pattern.too_long', `the pattern ${pattern.slice(0, 40)}… is longer than ${MAX_PATTERN_LENGTH} characters`)
  if (!hasWildcard(pattern)) return literalGlob(pattern)
  const tail = pattern.slice('**/'.length)
  if (options.hasDoubleStar && pattern.startsWith('**/') && tail !== '' && !hasWildcard(tail)) return tailGlob(pattern, tail)
  const compiled = automaton(statesOf(pattern, options))
  const matchesOrContains = (path: string): boolean => {
    for (const length of compiled.prefixLengths(path)) if (length === path.length || path[length] === '/') return true
    return false
  }
  return { pattern, matches: compiled.matches, matchesOrContains }
}

function literalGlob(pattern: string): Glob {
  const below = `${pattern}/`
  return {
    pattern,
    matches: (path) => path === pattern,
    matchesOrContains: (path) => path === pattern || path.startsWith(below),
  }
}

// `**/name`, the commonest wildcard of ignore files, without the automaton.
function tailGlob(pattern: string, tail: string): Glob {
  return {
    pattern,
    matches: (path) => path === tail || path.endsWith(`/${tail}`),
    matchesOrContains: (path) => `/${path}/`.includes(`/${tail}/`),
  }
}

/** True when the pattern holds a character that `compileGlob` does not take literally. */
export function hasWildcard(pattern: string): boolean {
  return /[*?[\\]/.test(pattern)
}

const notSlash: Accepts = (character) => character !== '/'
const anything: Accepts = () => true

function statesOf(pattern: string, options: GlobOptions): State[] {
  const states: State[] = []
  const characters = [...pattern]
  let at = 0
  while (at < characters.length) {
    const character = characters[at]
    if (character === '*' && options.hasDoubleStar && characters[at + 1] === '*') {
      at = doubleStar(characters, at, states)
    } else if (character === '*') {
      if (states.at(-1)?.kind !== 'many') states.push({ kind: 'many', accepts: notSlash })
      at += 1
    } else if (character === '?') {
      states.push({ kind: 'one', accepts: notSlash })
      at += 1
    } else if (character === '[') {
      const [accepts, after] = characterClass(characters, at, pattern)
      states.push({ kind: 'one', accepts })
      at = after
    } else {
      if (character === '\\') at += 1
      const literal = characters[at]
      if (literal === undefined) throw invalid(pattern, 'a backslash at the end escapes nothing')
      states.push({ kind: 'one', accepts: (other) => other === literal })
      at += 1
    }
  }
  return states
}

// `**` at the end takes everything; elsewhere it takes whole components, so that `a/**/b` matches `a/b` as well. A pattern that is
// `**` followed by literal text only matches by suffix, as Docker's matcher does.
function doubleStar(characters: readonly string[], start: number, states: State[]): number {
  let at = start + 2
  while (characters[at] === '*') at += 1
  const hasSlash = characters[at] === '/'
  if (hasSlash) at += 1
  while (hasSlash && characters[at] === '*' && characters[at + 1] === '*' && characters[at + 2] === '/') at += 3
  const rest = characters.slice(at)
  const isSuffix = start === 0 && !hasSlash && !rest.some((character) => '*?[\\'.includes(character))
  if (rest.length === 0 || isSuffix) states.push({ kind: 'many', accepts: anything })
  else
    states.push(
      { kind: 'skip', by: 3 },
      { kind: 'many', accepts: anything },
      { kind: 'one', accepts: (character) => character === '/' },
    )
  return at
}

function characterClass(characters: readonly string[], start: number, pattern: string): [Accepts, number] {
  let at = start + 1
  const isNegated = characters[at] === '^'
  if (isNegated) at += 1
  const ranges: { readonly low: number; readonly high: number }[] = []
  const take = (): number => {
    if (characters[at] === '\\') at += 1
    const point = characters[at]?.codePointAt(0)
    if (point === undefined) throw invalid(pattern, 'a character class is not closed by ]')
    at += 1
    return point
  }
  while (characters[at] !== ']' || ranges.length === 0) {
    if (characters[at] === '-' || characters[at] === ']')
      throw invalid(pattern, 'a character class must not be empty or start with -')
    const low = take()
    let high = low
    if (characters[at] === '-') {
      at += 1
      if (characters[at] === ']') throw invalid(pattern, 'a range in a character class has no end')
      high = take()
    }
    ranges.push({ low, high })
  }
  const accepts: Accepts = (character) => {
    const point = character.codePointAt(0) ?? 0
    return character !== '/' && ranges.some((range) => range.low <= point && point <= range.high) !== isNegated
  }
  return [accepts, at + 1]
}

function invalid(pattern: string, why: string) {
  return patternError('pattern.invalid', `the pattern ${JSON.stringify(pattern)} is not valid: ${why}`)
}
