import { invariant } from '#base'

/** The configuration as a value: lines of words. No word can become two, or end its line, whatever is in it. */
export type Line = readonly string[]

export interface Section {
  readonly kind: 'global' | 'ring' | 'defaults' | 'userlist' | 'frontend' | 'backend'
  /** null: its kind has none. */
  readonly name: string | null
  readonly lines: readonly Line[]
}

/** HAProxy takes 64 words in a line. */
export const MAX_WORDS = 64

/** Configuration manual of HAProxy 2.6, section 2.2. */
export function renderSections(sections: readonly Section[]): string {
  return sections.map((section) => `${renderSection(section)}\n`).join('')
}

function renderSection({ kind, name, lines }: Section): string {
  const head = name === null ? kind : `${kind} ${quote(name)}`
  return [head, ...lines.map(renderLine)].join('\n')
}

function renderLine(line: Line): string {
  invariant(line.length > 0 && line.length <= MAX_WORDS, `a line of ${line.length} words`)
  return `  ${line.map(quote).join(' ')}`
}

/** Outside of quotes everything but these stands for itself; variables of the environment are only read inside double quotes. */
function quote(word: string): string {
  invariant(isWord(word), `${JSON.stringify(word)} is not a word for the proxy's configuration`)
  return word
    .replaceAll(/[\\ #'"]/g, (character) => `\\${character}`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', String.raw`\t`)
}

/** Not empty (an empty word ends the line for HAProxy's parsers), and nothing in it that cannot be written. */
export function isWord(text: string): boolean {
  return text !== '' && text.isWellFormed() && !/\p{Cc}/u.test(text.replaceAll(/[\n\t\x80-\x9f]/g, ''))
}

/** Text where HAProxy would read `%` as the beginning of a variable. */
export function literal(text: string): string {
  return text.replaceAll('%', '%%')
}
