import { refuse, shown, type Place } from './place.ts'
import { MAX_EXPANSION_DEPTH, MAX_EXPANSION_LENGTH } from './limits.ts'
import { replacePattern, trimPattern } from './shell-pattern.ts'
import type { EscapeCharacter } from './tree.ts'
import { isSpace } from './words.ts'

export interface Expansion {
  readonly place: Place
  readonly escape: EscapeCharacter
  /** Values as they stood when the instruction began. */
  readonly lookup: (name: string) => string | undefined
  /** Called with the name of each variable that has no value. */
  readonly onUnset?: (name: string) => void
}

/** Resolves variables, quotes and escapes of one word. Throws `dockerfile.expansion`, or `dockerfile.too_large` for bombs. */
export function expandWord(text: string, expansion: Expansion): string {
  return expand(text, expansion).text
}

/** The same, split at white space outside quotes after variables have been put in. */
export function expandWords(text: string, expansion: Expansion): readonly string[] {
  return expand(text, expansion).words
}

/** Resolves the variables in the body of a here-document: quotes are text there, and a backslash takes only `$` and itself. */
export function expandBody(text: string, expansion: Expansion): string {
  return expand(text, expansion, true).text
}

interface Expanded {
  readonly text: string
  readonly words: readonly string[]
}

/** Gathers text, and beside it the words into which it falls. */
function collector(count: (length: number) => void) {
  let text = ''
  let word = ''
  const words: string[] = []
  const endWord = () => {
    if (word !== '') words.push(word)
    word = ''
  }
  return {
    whole: (part: string) => {
      count(part.length)
      text += part
      word += part
    },
    splittable: (part: string) => {
      count(part.length)
      text += part
      for (const character of part) {
        if (isSpace(character)) endWord()
        else word += character
      }
    },
    finish: (): Expanded => {
      endWord()
      return { text, words }
    },
  }
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?\-$!]/y

function expand(source: string, expansion: Expansion, isBody = false): Expanded {
  const { place, escape } = expansion
  let at = 0
  let depth = 0
  let produced = 0

  const broken = (why: string, hint?: string) => refuse(place, `${why} in ${shown(source)}`, hint, 'dockerfile.expansion')
  const count = (length: number) => {
    produced += length
    if (produced <= MAX_EXPANSION_LENGTH) return
    throw refuse(
      place,
      `the expansion of ${shown(source)} grows over ${MAX_EXPANSION_LENGTH} characters`,
      undefined,
      'dockerfile.too_large',
    )
  }
  const valueOf = (name: string): string | undefined => {
    const value = expansion.lookup(name)
    if (value === undefined) expansion.onUnset?.(name)
    return value
  }
  const takeName = (): string => {
    NAME.lastIndex = at
    const name = NAME.exec(source)?.[0] ?? ''
    at += name.length
    return name
  }

  const until = (stop: string | undefined, keepsEscapes: boolean): Expanded => {
    const out = collector(count)
    while (at < source.length) {
      const character = source[at] ?? ''
      if (character === stop) {
        at += 1
        return out.finish()
      }
      if (character === "'") out.whole(singleQuoted())
      else if (character === '"') out.whole(doubleQuoted())
      else if (character === '$') out.splittable(dollar())
      else if (character === escape) out.whole(escaped(keepsEscapes))
      else {
        out.splittable(character)
        at += 1
      }
    }
    if (stop !== undefined) throw broken(`a ${shown(stop)} is missing`, `Close every \${…} with a brace.`)
    return out.finish()
  }
  const escaped = (keepsEscapes: boolean): string => {
    const character = source[at + 1] ?? ''
    at += 2
    return keepsEscapes ? `${escape}${character}` : character
  }
  const singleQuoted = (): string => {
    const end = source.indexOf("'", at + 1)
    if (end < 0) throw broken('a single quote is not closed', "Write the closing ', or \\' for the character itself.")
    const text = source.slice(at + 1, end)
    at = end + 1
    return text
  }
  const doubleQuoted = (): string => {
    const parts: string[] = []
    at += 1
    while (at < source.length) {
      const character = source[at] ?? ''
      if (character === '"') {
        at += 1
        return parts.join('')
      }
      if (character === '$') {
        parts.push(dollar())
        continue
      }
      const next = source[at + 1]
      const isEscape = character === escape && (next === '"' || next === '$' || next === escape)
      parts.push(isEscape ? (next ?? '') : character)
      at += isEscape ? 2 : 1
    }
    throw broken('a double quote is not closed', 'Write the closing ", or \\" for the character itself.')
  }
  const dollar = (): string => {
    at += 1
    if (source[at] !== '{') {
      const name = takeName()
      return name === '' ? '$' : (valueOf(name) ?? '')
    }
    at += 1
    depth += 1
    if (depth > MAX_EXPANSION_DEPTH)
      throw refuse(place, `\${…} is nested more than ${MAX_EXPANSION_DEPTH} deep`, undefined, 'dockerfile.too_large')
    const text = braced()
    depth -= 1
    return text
  }
  const braced = (): string => {
    const name = takeName()
    if (name === '') throw broken('bad substitution', 'Write a variable name after ${.')
    const operator = source[at]
    at += 1
    if (operator === '}') return valueOf(name) ?? ''
    if (operator === ':') {
      const next = source[at] ?? ''
      at += 1
      return conditional(name, next, true)
    }
    if (operator === '#' || operator === '%') return trimmed(name, operator)
    if (operator === '/') return replaced(name)
    if (operator === undefined) throw broken('a "}" is missing', `Close every \${…} with a brace.`)
    return conditional(name, operator, false)
  }
  const conditional = (name: string, operator: string, isEmptyUnset: boolean): string => {
    if (!'-+?'.includes(operator) || operator === '')
      throw broken(
        `the modifier ${shown((isEmptyUnset ? ':' : '') + operator)} is not known`,
        'Known: :- :+ :? - + ? # ## % %% / //.',
      )
    const word = until('}', false).text
    const value = expansion.lookup(name)
    const isMissing = value === undefined || (isEmptyUnset && value === '')
    if (operator === '-') return isMissing ? word : value
    if (operator === '+') return isMissing ? '' : word
    if (!isMissing) return value
    const why = word === '' ? `is not allowed to be ${value === undefined ? 'unset' : 'empty'}` : word
    throw refuse(place, `${name}: ${why}`, `Give it with --build-arg ${name}=VALUE, or with ARG or ENV.`, 'dockerfile.expansion')
  }
  const trimmed = (name: string, operator: '#' | '%'): string => {
    const isLongest = source[at] === operator
    if (isLongest) at += 1
    const pattern = until('}', true).text
    return trimPattern({ value: valueOf(name) ?? '', pattern, end: operator === '#' ? 'start' : 'end', isLongest, place })
  }
  const replaced = (name: string): string => {
    const isGlobal = source[at] === '/'
    if (isGlobal) at += 1
    const pattern = until('/', true).text
    const replacement = until('}', false).text
    return replacePattern({ value: valueOf(name) ?? '', pattern, replacement, isGlobal, place, count })
  }
  const body = (): Expanded => {
    const out = collector(count)
    while (at < source.length) {
      const character = source[at] ?? ''
      const next = source[at + 1]
      const isEscape = character === escape && (next === '$' || next === escape)
      if (character === '$') {
        out.whole(dollar())
        continue
      }
      const end = isEscape ? at + 2 : nextSpecial(at + 1)
      out.whole(isEscape ? (next ?? '') : source.slice(at, end))
      at = end
    }
    return out.finish()
  }
  const nextSpecial = (from: number): number => {
    let end = from
    while (end < source.length && source[end] !== '$' && source[end] !== escape) end += 1
    return end
  }
  return isBody ? body() : until(undefined, false)
}
