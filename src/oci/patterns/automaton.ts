/**
 * A nondeterministic automaton for glob patterns, run by keeping the set of all states at once. It needs time in the length of
 * the text times the length of the pattern, whatever the pattern: nothing here can backtrack.
 */
export type Accepts = (character: string) => boolean

export type State =
  /** Takes one character that is accepted and goes on. */
  | { readonly kind: 'one'; readonly accepts: Accepts }
  /** Takes any number of accepted characters, none included. */
  | { readonly kind: 'many'; readonly accepts: Accepts }
  /** Takes nothing: goes on to the next state, and also `by` states ahead. */
  | { readonly kind: 'skip'; readonly by: number }

export interface Automaton {
  matches(text: string): boolean
  /** Lengths of all prefixes of `text` that match, in rising order, counted in UTF-16 units. */
  prefixLengths(text: string): Generator<number>
}

export function automaton(states: readonly State[]): Automaton {
  const accept = states.length
  const enter = (set: Uint8Array, first: number): void => {
    const pending = [first]
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (set[index] === 1) continue
      set[index] = 1
      const state = states[index]
      if (state === undefined || state.kind === 'one') continue
      pending.push(index + 1)
      if (state.kind === 'skip') pending.push(index + state.by)
    }
  }
  const advance = (from: Uint8Array, to: Uint8Array, character: string): boolean => {
    let isAlive = false
    to.fill(0)
    for (let index = 0; index < accept; index += 1) {
      if (from[index] !== 1) continue
      const state = states[index]
      if (state === undefined || state.kind === 'skip' || !state.accepts(character)) continue
      enter(to, state.kind === 'one' ? index + 1 : index)
      isAlive = true
    }
    return isAlive
  }
  function* prefixLengths(text: string): Generator<number> {
    let current = new Uint8Array(accept + 1)
    let next = new Uint8Array(accept + 1)
    enter(current, 0)
    let length = 0
    if (current[accept] === 1) yield length
    for (const character of text) {
      length += character.length
      const isAlive = advance(current, next, character)
      ;[current, next] = [next, current]
      if (current[accept] === 1) yield length
      if (!isAlive) return
    }
  }
  const matches = (text: string): boolean => {
    let last = -1
    for (const length of prefixLengths(text)) last = length
    return last === text.length
  }
  return { matches, prefixLengths }
}
