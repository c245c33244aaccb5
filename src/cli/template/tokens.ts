import { templateFailure } from './failure.ts'

export type Token =
  | { readonly kind: 'text'; readonly at: number; readonly text: string }
  | { readonly kind: 'open' | 'close'; readonly at: number }
  /** Of `.name` without the dot; the dot alone is a mark. */
  | { readonly kind: 'field' | 'variable' | 'word'; readonly at: number; readonly text: string }
  | { readonly kind: 'literal'; readonly at: number; readonly value: unknown }
  | { readonly kind: 'mark'; readonly at: number; readonly text: '.' | '|' | '(' | ')' | ':=' | '=' | ',' }
  /** Between two arguments: `f .a` is not `f.a`. */
  | { readonly kind: 'space'; readonly at: number }

/** Cuts a template into text and the tokens of its actions (text/template, "Text and spaces" and "Actions"). Errors: `cli.usage`. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  let trims = false
  while (at < source.length) {
    const open = source.indexOf('{{', at)
    const end = open === -1 ? source.length : open
    const trimsBefore = open !== -1 && /^-\s/.test(source.slice(open + 2, open + 4))
    const text = trimText(source.slice(at, end), trims, trimsBefore)
    if (text !== '') tokens.push({ kind: 'text', at, text })
    if (open === -1) break
    const start = open + (trimsBefore ? 3 : 2)
    const closed = readAction(source, open, start, tokens)
    trims = closed.trims
    at = closed.at
  }
  return tokens
}

function trimText(text: string, left: boolean, right: boolean): string {
  const cut = left ? text.replace(/^\s+/, '') : text
  return right ? cut.replace(/\s+$/, '') : cut
}

interface Closed {
  readonly at: number
  readonly trims: boolean
}

function readAction(source: string, open: number, start: number, tokens: Token[]): Closed {
  const comment = /^\s*\/\*/.exec(source.slice(start))
  if (comment !== null) return skipComment(source, open, start + comment[0].length)
  tokens.push({ kind: 'open', at: open })
  let at = start
  for (;;) {
    const closing = /^(?:\s+-\}\}|\}\})/.exec(source.slice(at, at + 64))
    if (closing !== null) {
      tokens.push({ kind: 'close', at })
      return { at: at + closing[0].length, trims: closing[0].length > 2 }
    }
    if (at >= source.length) throw templateFailure(source, open, 'an action has no end }}')
    at = readToken(source, at, tokens)
  }
}

function skipComment(source: string, open: number, from: number): Closed {
  const end = source.indexOf('*/', from)
  const closing = end === -1 ? null : /^(\s+-)?\}\}/.exec(source.slice(end + 2))
  if (closing === null) throw templateFailure(source, open, 'a comment has no end */}}')
  return { at: end + 2 + closing[0].length, trims: closing[1] !== undefined }
}

const PLAIN =
  /(?<space>\s+)|(?<field>\.[\p{L}_][\p{L}\p{N}_]*)|(?<variable>\$[\p{L}\p{N}_]*)|(?<number>[+-]?(?:0x[\da-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?))(?![\p{L}\p{N}_])|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<mark>:=|[.|()=,])/iuy

/** Reads one token and gives the place behind it. */
function readToken(source: string, at: number, tokens: Token[]): number {
  const first = source[at]
  if (first === '"' || first === '`' || first === "'") return readQuoted(source, at, first, tokens)
  // A fresh object for each use: a sticky pattern carries its place along.
  const pattern = new RegExp(PLAIN)
  pattern.lastIndex = at
  const match = pattern.exec(source)
  if (match === null) throw templateFailure(source, at, 'this is not part of a template')
  const text = match[0]
  const { space, field, variable, number, word } = match.groups ?? {}
  if (space !== undefined) tokens.push({ kind: 'space', at })
  else if (field !== undefined) tokens.push({ kind: 'field', at, text: field.slice(1) })
  else if (variable !== undefined) tokens.push({ kind: 'variable', at, text: variable })
  else if (number !== undefined) tokens.push({ kind: 'literal', at, value: Number(number) })
  else if (word !== undefined) tokens.push(wordToken(at, word))
  else tokens.push({ kind: 'mark', at, text: text as '.' })
  return at + text.length
}

function wordToken(at: number, word: string): Token {
  if (word === 'true' || word === 'false') return { kind: 'literal', at, value: word === 'true' }
  return word === 'nil' ? { kind: 'literal', at, value: null } : { kind: 'word', at, text: word }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

function readQuoted(source: string, at: number, quote: string, tokens: Token[]): number {
  let value = ''
  let i = at + 1
  while (i < source.length && source[i] !== quote) {
    const char = source[i] ?? ''
    if (char === '\n' && quote !== '`') break
    if (char !== '\\' || quote === '`') {
      value += char
      i += 1
      continue
    }
    const code = /^\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8}))/i.exec(source.slice(i, i + 10))
    const point = code === null ? undefined : Number.parseInt(code[1] ?? code[2] ?? code[3] ?? '', 16)
    const escape = ESCAPES[source[i + 1] ?? '']
    if (point === undefined && escape === undefined) throw templateFailure(source, i, 'this escape is not known')
    if (point !== undefined && point > 0x10_ffff) throw templateFailure(source, i, 'this is not a character')
    value += point === undefined ? (escape ?? '') : String.fromCodePoint(point)
    i += code === null ? 2 : code[0].length
  }
  if (source[i] !== quote) throw templateFailure(source, at, 'a quoted text has no end')
  // Go's character constants are numbers.
  if (quote === "'" && [...value].length !== 1) throw templateFailure(source, at, 'single quotes hold one character')
  tokens.push({ kind: 'literal', at, value: quote === "'" ? value.codePointAt(0) : value })
  return i + 1
}
