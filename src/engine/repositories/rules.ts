import { parseDurationMs, type RecordStore } from '#base'

import { repositoryError } from './errors.ts'
import type { RetentionRule } from './port.ts'
import { checkRule } from './retention-plan.ts'

/** More rules than this are no list that somebody wrote. */
const MAX_RULES = 100
const DAY_MS = 86_400_000

/** Without a rule of its own: no tag goes, and what lost its last tag goes after a week. */
const DEFAULT_RULES: readonly RetentionRule[] = [{ repositories: '**', untaggedAfterMs: 7 * DAY_MS }]

/** The rules by which repositories are cleaned; the first whose pattern matches a repository holds for it. */
export interface RetentionRules {
  get(): readonly RetentionRule[]
  /** Errors: `repository.rule_invalid`. */
  set(rules: readonly RetentionRule[]): void
}

export function openRules(records: RecordStore): RetentionRules {
  const table = records.table<readonly RetentionRule[]>('registry-rules')
  return {
    get: () => table.get('all') ?? DEFAULT_RULES,
    set: (rules) => {
      if (rules.length > MAX_RULES)
        throw repositoryError('repository.rule_invalid', `${rules.length} rules are more than ${MAX_RULES}`)
      table.put('all', rules.map(checkRule))
    },
  }
}

/**
 * Reads `team/**,keep-last=10,keep-younger=30d,keep-tag=v*,untagged=7d`: a pattern, and what stays of the repositories that it names.
 * Error: `repository.rule_invalid`.
 */
export function readRule(text: string): RetentionRule {
  const [repositories = '', ...settings] = text.split(',')
  if (repositories === '') throw invalid(text, 'names no repositories')
  let rule: RetentionRule = { repositories }
  for (const setting of settings) {
    const [name = '', value = ''] = setting.split(/=(.*)/s)
    if (name === 'keep-last' && /^\d{1,6}$/.test(value)) rule = { ...rule, keepLast: Number(value) }
    else if (name === 'keep-younger') rule = { ...rule, keepYoungerMs: ageOf(value, text) }
    else if (name === 'untagged') rule = { ...rule, untaggedAfterMs: ageOf(value, text) }
    else if (name === 'keep-tag' && value !== '') rule = { ...rule, keepTags: [...(rule.keepTags ?? []), value] }
    else throw invalid(text, `${JSON.stringify(setting)} is none of keep-last=, keep-younger=, keep-tag=, untagged=`)
  }
  return checkRule(rule)
}

/** Days are no duration of clocks, and what people say here. */
function ageOf(value: string, text: string): number {
  const [, days] = /^(\d{1,5})d$/.exec(value) ?? []
  if (days !== undefined) return Number(days) * DAY_MS
  try {
    return parseDurationMs(value, 'age')
  } catch (error) {
    throw invalid(text, `${JSON.stringify(value)} is no age`, error)
  }
}

function invalid(text: string, why: string, cause?: unknown) {
  return repositoryError('repository.rule_invalid', `the rule ${JSON.stringify(text.slice(0, 200))}: ${why}`, {
    hint: 'Write PATTERN,keep-last=10,keep-younger=30d,keep-tag=v*,untagged=7d with what you need of it.',
    ...(cause === undefined ? {} : { cause }),
  })
}
