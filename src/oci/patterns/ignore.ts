import { cleanPath } from './clean.ts'
import { patternError } from './errors.ts'
import { compileGlob, type Glob } from './glob.ts'

/** Each path is checked against every rule; an honest file has tens. */
const MAX_RULES = 10_000

export interface IgnoreRules {
  /** `path` is relative to the context root, without leading or trailing slash. */
  isIgnored(path: string): boolean
  /** True when nothing below the ignored directory can come back, so that a walk need not enter it. */
  canSkipDirectory(path: string): boolean
}

interface Rule {
  readonly glob: Glob
  readonly isException: boolean
}

/** Reads the text of a `.dockerignore`: one pattern a line, `#` comments, `!` exceptions. */
export function parseIgnoreFile(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** The last rule that matches a path, or a directory that holds it, decides. Throws `pattern.invalid`. */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  if (patterns.length > MAX_RULES)
    throw patternError('pattern.too_long', `the ignore file has ${patterns.length} patterns, more than ${MAX_RULES}`)
  const rules = patterns.map(ruleOf)
  const hasException = rules.some((rule) => rule.isException)
  const isIgnored = (path: string): boolean => {
    let verdict = false
    for (const rule of rules) if (rule.isException === verdict && rule.glob.matchesOrContains(path)) verdict = !verdict
    return verdict
  }
  return { isIgnored, canSkipDirectory: (path) => !hasException && isIgnored(path) }
}

/** The paths of a context that an ignore file leaves in, in their order. */
export function selectContext(paths: readonly string[], ignoreFile: string): string[] {
  const rules = ignoreRules(parseIgnoreFile(ignoreFile))
  return paths.filter((path) => !rules.isIgnored(path))
}

function ruleOf(pattern: string): Rule {
  const isException = pattern.startsWith('!')
  const body = (isException ? pattern.slice(1) : pattern).trim()
  if (body === '')
    throw patternError('pattern.invalid', `the ignore pattern ${JSON.stringify(pattern)} names nothing`, {
      hint: 'Write a path after the exclamation mark, or remove the line.',
    })
  const cleaned = cleanPath(body)
  return { isException, glob: compileGlob(cleaned.length > 1 ? cleaned.replace(/^\//, '') : cleaned, { hasDoubleStar: true }) }
}
