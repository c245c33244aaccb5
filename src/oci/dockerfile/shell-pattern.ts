import { automaton, type Accepts, type Automaton, type State } from '#oci/patterns'

import { refuse, shown, type Place } from './place.ts'
import { MAX_PATTERN_STEPS } from './limits.ts'

export interface Trim {
  readonly value: string
  readonly pattern: string
  readonly end: 'start' | 'end'
  readonly isLongest: boolean
  readonly place: Place
}

/** `${x#pattern}` and its relatives: takes the shortest or longest match off one end. */
export function trimPattern(trim: Trim): string {
  const states = statesOf(trim.pattern, trim.place)
  if (trim.end === 'start') {
    const length = matchLength(automaton(states), trim.value, trim.isLongest)
    return length === undefined ? trim.value : trim.value.slice(length)
  }
  const length = matchLength(automaton(states.toReversed()), reversed(trim.value), trim.isLongest)
  return length === undefined ? trim.value : trim.value.slice(0, trim.value.length - length)
}

export interface Replace {
  readonly value: string
  readonly pattern: string
  readonly replacement: string
  readonly isGlobal: boolean
  readonly place: Place
  /** Told the length of each piece of the result, so that it can stop growth. */
  readonly count: (length: number) => void
}

/** `${x/pattern/text}` replaces the first match, `${x//pattern/text}` each; the leftmost longest match counts. */
export function replacePattern(replace: Replace): string {
  const { value, pattern, replacement, place } = replace
  const states = statesOf(pattern, place)
  if (states.length === 0) return value
  const compiled = automaton(states)
  const parts: string[] = []
  let at = 0
  while (at < value.length) {
    const length = matchLength(compiled, value.slice(at), true)
    if (length === undefined || length === 0) {
      parts.push(value[at] ?? '')
      at += 1
      continue
    }
    replace.count(replacement.length)
    parts.push(replacement)
    at += length
    if (!replace.isGlobal) break
  }
  return parts.join('') + value.slice(at)
}

function matchLength(compiled: Automaton, text: string, isLongest: boolean): number | undefined {
  let found: number | undefined
  for (const length of compiled.prefixLengths(text)) {
    found = length
    if (!isLongest) break
  }
  return found
}

/** `*` and `?` are special, a backslash takes `* ? \ } /` literally; brackets are text, as BuildKit has it. */
function statesOf(pattern: string, place: Place): State[] {
  const states: State[] = []
  let steps = 0
  const counted =
    (accepts: Accepts): Accepts =>
    (character) => {
      steps += 1
      if (steps <= MAX_PATTERN_STEPS) return accepts(character)
      const hint = 'Use a shorter pattern or value.'
      throw refuse(place, `matching the pattern ${shown(pattern)} takes too long`, hint, 'dockerfile.too_large')
    }
  const characters = [...pattern]
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? ''
    if (character === '*') {
      if (states.at(-1)?.kind !== 'many') states.push({ kind: 'many', accepts: counted(() => true) })
      continue
    }
    if (character === '?') {
      states.push({ kind: 'one', accepts: counted(() => true) })
      continue
    }
    let literal = character
    if (character === '\\') {
      at += 1
      literal = characters[at] ?? ''
      if (!['*', '?', '\\', '}', '/'].includes(literal))
        throw refuse(
          place,
          `the escape ${shown(`\\${literal}`)} is not known in ${shown(pattern)}`,
          undefined,
          'dockerfile.expansion',
        )
    }
    states.push({ kind: 'one', accepts: counted((other) => other === literal) })
  }
  return states
}

function reversed(text: string): string {
  return [...text].toReversed().join('')
}
