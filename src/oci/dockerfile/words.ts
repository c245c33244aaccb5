import { refuse, type Place } from './place.ts'
import type { CommandLine, EscapeCharacter } from './tree.ts'

/** Splits at white space outside quotes. Quotes and escapes stay in the words: expansion resolves them. */
export function splitWords(text: string, escape: EscapeCharacter): string[] {
  return [...wordsOf(text, escape)].map((word) => word.text)
}

export interface Word {
  readonly text: string
  readonly start: number
  readonly end: number
}

export function* wordsOf(text: string, escape: EscapeCharacter): Generator<Word> {
  let at = 0
  while (at < text.length) {
    while (isSpace(text[at])) at += 1
    if (at >= text.length) return
    const start = at
    let quote: string | undefined
    while (at < text.length && (quote !== undefined || !isSpace(text[at]))) {
      const character = text[at]
      if (character === escape && quote !== "'") at += 1
      else if (quote === undefined && (character === "'" || character === '"')) quote = character
      else if (character === quote) quote = undefined
      at += 1
    }
    at = Math.min(at, text.length)
    yield { text: text.slice(start, at), start, end: at }
  }
}

export interface Flag {
  readonly name: string
  readonly value: string | undefined
}

/** Takes the leading `--name` and `--name=value` words off; `--` alone ends them. */
export function takeFlags(text: string, escape: EscapeCharacter): { readonly flags: readonly Flag[]; readonly rest: string } {
  const flags: Flag[] = []
  for (const word of wordsOf(text, escape)) {
    if (word.text === '--') return { flags, rest: text.slice(word.end).trim() }
    if (!word.text.startsWith('--')) return { flags, rest: text.slice(word.start) }
    const equals = word.text.indexOf('=')
    flags.push(
      equals < 0
        ? { name: word.text.slice(2), value: undefined }
        : { name: word.text.slice(2, equals), value: word.text.slice(equals + 1) },
    )
  }
  return { flags, rest: '' }
}

/** The JSON form, or undefined when the text is not a JSON array: it is then for the shell. */
export function jsonArray(text: string, place: Place): readonly string[] | undefined {
  const parsed = parsedArray(text)
  if (parsed === undefined) return undefined
  if (!parsed.every((item) => typeof item === 'string'))
    throw refuse(place, 'the JSON form holds something that is not a string', 'Put each argument in double quotes.')
  return parsed
}

export function isJsonArray(text: string): boolean {
  return parsedArray(text) !== undefined
}

function parsedArray(text: string): readonly unknown[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

export function commandLine(text: string, place: Place): CommandLine {
  const args = jsonArray(text, place)
  return args === undefined ? { form: 'shell', text } : { form: 'exec', args }
}

export function isSpace(character: string | undefined): boolean {
  return character !== undefined && /\s/.test(character)
}
