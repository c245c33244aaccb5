import { refuse, shown } from './place.ts'
import type { EscapeCharacter } from './tree.ts'

export interface Directives {
  readonly escape: EscapeCharacter
  readonly syntax: string | undefined
  readonly check: string | undefined
  /** How many lines they take, a first line of a shell among them. */
  readonly lineCount: number
}

const DIRECTIVE = /^#\s*([a-z][a-z0-9]*)\s*=\s*(.*\S)\s*$/i
const SHEBANG = '\x23!'
const KNOWN: ReadonlySet<string> = new Set(['syntax', 'escape', 'check'])

/** Reads `# name=value` lines at the very top, up to the first line that is none. A `#!` line before them is passed over. */
export function readDirectives(lines: readonly string[], file: string): Directives {
  const found = new Map<string, string>()
  let index = lines[0]?.startsWith(SHEBANG) === true ? 1 : 0
  for (; index < lines.length; index += 1) {
    const match = DIRECTIVE.exec(lines[index]?.trim() ?? '')
    const name = match?.[1]?.toLowerCase()
    const value = match?.[2]
    if (name === undefined || value === undefined || !KNOWN.has(name)) break
    if (found.has(name))
      throw refuse({ file, line: index + 1 }, `the directive ${name} is given twice`, 'Keep one of the two lines.')
    if (name === 'escape' && value !== '\\' && value !== '`')
      throw refuse({ file, line: index + 1 }, `the escape character ${shown(value)} is not known`, 'Write \\ or `.')
    found.set(name, value)
  }
  const escape = found.get('escape') === '`' ? '`' : '\\'
  return { escape, syntax: found.get('syntax'), check: found.get('check'), lineCount: index }
}
