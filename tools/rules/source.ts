import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** A source file with its imports and its code without comments and string contents. */
export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
  /** Same length and lines as the text; comments and the insides of strings are blanks. */
  readonly code: string
  readonly imports: readonly Import[]
}

export interface Import {
  readonly line: number
  /** As written. */
  readonly specifier: string
  /** Path from the root of the repository; undefined for packages and node's own modules. */
  readonly target: string | undefined
}

export interface Violation {
  readonly rule: string
  readonly path: string
  readonly line: number
  readonly message: string
}

export function readSources(root: string, patterns: readonly string[]): readonly SourceFile[] {
  return globSync([...patterns], { cwd: root })
    .toSorted()
    .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')))
}

export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, code: blankOut(text), imports: importsOf(path, text) }
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** Where a rule's pattern stands in the code of a file. */
export function findAll(file: SourceFile, pattern: RegExp): readonly { readonly line: number; readonly match: string }[] {
  return [...file.code.matchAll(pattern)].map((match) => ({ line: lineOf(file.code, match.index), match: match[0] }))
}

const IMPORT = /^\s*(?:import|export)\b[^'"`;]*?(?:from\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

function importsOf(path: string, text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? ''
    return { line: lineOf(text, match.index), specifier, target: resolve(path, specifier) }
  })
}

function resolve(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return relative('', join(dirname(from), specifier))
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}/index.ts`
  return undefined
}

/** Replaces comments and string contents by blanks. Template expressions stay code; regular expressions are treated as code. */
function blankOut(text: string): string {
  const out = [...text]
  let i = 0
  const blank = (from: number, to: number) => {
    for (let k = from; k < to && k < out.length; k += 1) if (out[k] !== '\n') out[k] = ' '
  }
  const templates: number[] = []
  let depth = 0
  const stringEnd = (start: number, quote: string): number => {
    let k = start
    while (k < text.length && text[k] !== quote && text[k] !== '\n') k += text[k] === '\\' ? 2 : 1
    return k
  }
  const templateEnd = (start: number): number => {
    let k = start
    while (k < text.length && text[k] !== '`' && !(text[k] === '$' && text[k + 1] === '{')) k += text[k] === '\\' ? 2 : 1
    return k
  }
  const openTemplate = (start: number): number => {
    const end = templateEnd(start)
    blank(start, end)
    if (text[end] === '$') {
      templates.push(depth)
      depth += 1
      return end + 2
    }
    return end + 1
  }
  while (i < text.length) {
    const two = text.slice(i, i + 2)
    const char = text[i]
    if (two === '//' || two === '/*') {
      const found = two === '//' ? text.indexOf('\n', i) : text.indexOf('*/', i + 2) + 2
      const end = found <= 1 ? text.length : found
      blank(i, end)
      i = end
    } else if (char === "'" || char === '"') {
      const end = stringEnd(i + 1, char)
      blank(i + 1, end)
      i = end + 1
    } else if (char === '`') {
      i = openTemplate(i + 1)
    } else if (char === '/' && /[=(,:[!&|?{;]\s*$/.test(text.slice(Math.max(0, i - 20), i))) {
      let k = i + 1
      let inClass = false
      while (k < text.length && text[k] !== '\n' && (inClass || text[k] !== '/')) {
        if (text[k] === '[') inClass = true
        if (text[k] === ']') inClass = false
        k += text[k] === '\\' ? 2 : 1
      }
      blank(i + 1, k)
      i = k + 1
    } else {
      if (char === '{') depth += 1
      if (char === '}') {
        depth -= 1
        if (templates.at(-1) === depth) {
          templates.pop()
          i = openTemplate(i + 1)
          continue
        }
      }
      i += 1
    }
  }
  return out.join('')
}
