import { interpolate, type Lookup } from './interpolate.ts'

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>
  /** Each names its line. */
  readonly errors: readonly string[]
}

/**
 * Reads the text of a `.env` or `env_file` file: `NAME=value` lines, `#` comments, `export`, quotes. Single quotes take everything as it is;
 * double quotes know `\n`, `\t`, `\"`, `\\` and may span lines; variables are filled in outside single quotes. A bare `NAME` takes the value of `outer`.
 */
export function parseEnvFile(text: string, outer: Lookup): EnvFile {
  const values: Record<string, string> = {}
  const errors: string[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const lookup: Lookup = (name) => outer(name) ?? values[name]
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').trim()
    if (line === '' || line.startsWith('#')) continue
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:([=:])\s*([\s\S]*))?$/.exec(line)
    if (match?.[1] === undefined) {
      errors.push(`line ${index + 1}: ${JSON.stringify(line)} is not NAME=value`)
      continue
    }
    if (match[2] === undefined) {
      const inherited = outer(match[1])
      if (inherited !== undefined) values[match[1]] = inherited
      continue
    }
    const raw = readValue(match[3] ?? '', lines, index)
    if (raw === undefined) {
      errors.push(`line ${index + 1}: the quote is never closed`)
      break
    }
    index = raw.lastLine
    const filled = raw.isLiteral ? { text: raw.text, errors: [] } : interpolate(raw.text, lookup)
    errors.push(...filled.errors.map((error) => `line ${index + 1}: ${error}`))
    values[match[1]] = filled.text
  }
  return { values, errors }
}

/** The format `raw`: what follows the first `=` is the value as it stands, quotes and dollar signs among it. */
export function parseRawEnvFile(text: string): EnvFile {
  const values: Record<string, string> = {}
  const errors: string[] = []
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const equals = line.indexOf('=')
    if (equals > 0) values[line.slice(0, equals).trim()] = line.slice(equals + 1)
    else errors.push(`line ${index + 1}: ${JSON.stringify(line)} is not NAME=value`)
  }
  return { values, errors }
}

interface RawValue {
  readonly text: string
  readonly isLiteral: boolean
  readonly lastLine: number
}

function readValue(first: string, lines: readonly string[], lineIndex: number): RawValue | undefined {
  const quote = first[0]
  if (quote !== '"' && quote !== "'") {
    return { text: first.replace(/(^|\s+)#.*$/, '').trimEnd(), isLiteral: false, lastLine: lineIndex }
  }
  let text = first.slice(1)
  for (let last = lineIndex; ;) {
    const end = closingQuote(text, quote)
    if (end >= 0) {
      const inside = text.slice(0, end)
      return { text: quote === "'" ? inside : unescape(inside), isLiteral: quote === "'", lastLine: last }
    }
    last += 1
    if (last >= lines.length) return undefined
    text += `\n${lines[last] ?? ''}`
  }
}

function closingQuote(text: string, quote: string): number {
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\' && quote === '"') index += 1
    else if (text[index] === quote) return index
  }
  return -1
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\', $: '$$' }

function unescape(text: string): string {
  return text.replace(/\\([\s\S])/g, (whole, letter: string) => ESCAPES[letter] ?? whole)
}
