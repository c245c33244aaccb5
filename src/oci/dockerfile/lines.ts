import type { EscapeCharacter } from './tree.ts'

/** One instruction on one line: continuations joined, comments between them gone. Numbers count from 1. */
export interface LogicalLine {
  readonly text: string
  readonly first: number
  readonly last: number
  readonly hasEmptyContinuation: boolean
  /** The comment right above, without its mark. */
  readonly comment: string | undefined
}

/** Hands out a Dockerfile's lines, as logical lines or, for the bodies of here-documents, as they stand. */
export interface LineReader {
  nextLogical(): LogicalLine | undefined
  nextRaw(): string | undefined
  /** How many lines have been handed out. */
  taken(): number
}

const WHITESPACE_ONLY = /^\s*$/
const COMMENT = /^\s*#/

/** Begins after `skipped` lines of directives. */
export function lineReader(lines: readonly string[], escape: EscapeCharacter, skipped = 0): LineReader {
  let at = skipped
  const nextRaw = (): string | undefined => {
    const line = lines[at]
    if (line !== undefined) at += 1
    return line
  }
  const nextLogical = (): LogicalLine | undefined => {
    while (isSkipped(lines[at])) at += 1
    const first = at + 1
    const above = at > skipped ? (lines[at - 1] ?? '') : ''
    const comment = COMMENT.test(above) ? above.replace(COMMENT, '').trim() : undefined
    const parts: string[] = []
    let hasEmptyContinuation = false
    let isOpen = true
    while (isOpen && at < lines.length) {
      const line = nextRaw() ?? ''
      if (parts.length > 0 && COMMENT.test(line)) continue
      if (parts.length > 0 && WHITESPACE_ONLY.test(line)) {
        hasEmptyContinuation = true
        continue
      }
      const body = withoutContinuation(line, escape)
      parts.push(body ?? line)
      isOpen = body !== undefined
    }
    return parts.length === 0 ? undefined : { text: parts.join('').trim(), first, last: at, hasEmptyContinuation, comment }
  }
  return { nextLogical, nextRaw, taken: () => at }
}

function isSkipped(line: string | undefined): boolean {
  return line !== undefined && (WHITESPACE_ONLY.test(line) || COMMENT.test(line))
}

/** The line without its closing escape character, or undefined when it does not go on: a doubled one is text. */
function withoutContinuation(line: string, escape: EscapeCharacter): string | undefined {
  const trimmed = line.trimEnd()
  if (!trimmed.endsWith(escape) || trimmed.at(-2) === escape) return undefined
  return trimmed.slice(0, -1)
}
