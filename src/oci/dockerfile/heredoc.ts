import { refuse, shown, type Place } from './place.ts'
import type { LineReader } from './lines.ts'
import type { EscapeCharacter, Heredoc } from './tree.ts'
import { splitWords, wordsOf } from './words.ts'

interface Opening {
  readonly name: string
  readonly isExpanded: boolean
  readonly stripsTabs: boolean
}

const OPENING = /^\d*<<(-?)([^<]+)$/

/** What a word such as `<<EOF`, `<<-EOF` or `3<<"EOF"` opens, if anything. */
export function heredocOpening(word: string, escape: EscapeCharacter): Opening | undefined {
  const match = OPENING.exec(word)
  const label = match?.[2]
  if (label === undefined || splitWords(label, escape).length !== 1) return undefined
  const name = label.replaceAll(/["'\\`]/g, '')
  if (name === '') return undefined
  return { name, isExpanded: name === label, stripsTabs: match?.[1] === '-' }
}

/** Reads the bodies of all here-documents that a line opens, in order. */
export function readHeredocs(text: string, reader: LineReader, escape: EscapeCharacter, place: Place): Heredoc[] {
  if (!text.includes('<<')) return []
  const heredocs: Heredoc[] = []
  for (const word of wordsOf(text, escape)) {
    const opening = heredocOpening(word.text, escape)
    if (opening !== undefined) heredocs.push(readBody(opening, reader, place))
  }
  return heredocs
}

function readBody(opening: Opening, reader: LineReader, place: Place): Heredoc {
  const source: string[] = []
  const content: string[] = []
  for (;;) {
    const line = reader.nextRaw()
    if (line === undefined)
      throw refuse(
        place,
        `the here-document ${shown(opening.name)} is not closed`,
        `Write ${opening.name} on a line of its own after it.`,
      )
    const stripped = opening.stripsTabs ? line.replace(/^\t+/, '') : line
    source.push(`${line}\n`)
    if (stripped === opening.name) break
    content.push(`${stripped}\n`)
  }
  return { name: opening.name, isExpanded: opening.isExpanded, content: content.join(''), source: source.join('').slice(0, -1) }
}
