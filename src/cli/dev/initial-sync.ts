import { join } from 'node:path'

import { scanTree } from '#client/context'

import { planChanges, type Change, type CopyPlan } from './plan.ts'
import type { ServiceRule } from './rules.ts'

/** Everything below the paths of rules that send all of it at the start. */
export function initialCopies(rules: readonly ServiceRule[]): readonly CopyPlan[] {
  const wanted = rules.filter((rule) => rule.isInitialSync && rule.target !== null)
  const copies = wanted.flatMap((rule) => {
    const rulesOfScan = { isIgnored: rule.isIgnored, canSkipDirectory: rule.canSkip }
    const entries = scanTree(rule.path, { rules: rulesOfScan, isAlwaysIn: () => false, nowMs: 0 })
    const changes: readonly Change[] = entries.map(([path]) => ({ path: join(rule.path, path), isGone: false }))
    return planChanges([{ ...rule, action: 'sync', exec: null }], changes)?.copies ?? []
  })
  return copies
}
