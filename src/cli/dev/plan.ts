import { basename, posix, relative } from 'node:path'

import type { WatchExec } from '#cluster/spec'

import type { ServiceRule } from './rules.ts'

/** Something below a watched path is other than it was. */
export interface Change {
  /** Absolute. */
  readonly path: string
  readonly isGone: boolean
}

export interface CopyPlan {
  readonly source: string
  /** Absolute, in the container. */
  readonly target: string
}

/** What is to be done for one service. With a rebuild nothing else is: the new image has it all. */
export interface DevPlan {
  /** Why, for people: the first path that asks for it. */
  readonly rebuild: string | null
  readonly copies: readonly CopyPlan[]
  /** In the container. */
  readonly removals: readonly string[]
  readonly restarts: boolean
  readonly execs: readonly WatchExec[]
}

/** Pure: what the changes mean for the service whose rules these are; undefined: nothing. */
export function planChanges(rules: readonly ServiceRule[], changes: readonly Change[]): DevPlan | undefined {
  const copies = new Map<string, CopyPlan>()
  const removals = new Set<string>()
  const execs = new Set<WatchExec>()
  let rebuild: string | null = null
  let restarts = false
  for (const change of changes)
    for (const rule of rules) {
      const below = placeBelow(rule, change.path)
      if (below === undefined) continue
      if (rule.action === 'rebuild') rebuild ??= change.path
      if (rule.action === 'restart' || rule.action === 'sync+restart') restarts = true
      if (rule.exec !== null) execs.add(rule.exec)
      if (rule.target === null) continue
      const target = targetOf(rule, rule.target, below)
      // The last of several changes of one path is the one that is true.
      copies.delete(target)
      removals.delete(target)
      if (change.isGone) removals.add(target)
      else copies.set(target, { source: change.path, target })
    }
  if (rebuild !== null) return { rebuild, copies: [], removals: [], restarts: false, execs: [] }
  if (copies.size === 0 && removals.size === 0 && execs.size === 0 && !restarts) return undefined
  return { rebuild, copies: [...copies.values()], removals: outermost(removals), restarts, execs: [...execs] }
}

/** The path below that of the rule, empty for itself; undefined when it does not concern the rule. */
function placeBelow(rule: ServiceRule, path: string): string | undefined {
  const below = relative(rule.path, path)
  if (below === '..' || below.startsWith('../') || rule.isIgnored(below)) return undefined
  return below
}

/** A file goes to the target, or into it when that is written as a directory. */
function targetOf(rule: ServiceRule, target: string, below: string): string {
  if (below !== '') return posix.join(target, below)
  return target.endsWith('/') ? posix.join(target, basename(rule.path)) : posix.normalize(target)
}

/** What is removed with its directory need not be named. */
function outermost(paths: ReadonlySet<string>): readonly string[] {
  const isBelow = (path: string): boolean => {
    for (let parent = posix.dirname(path); parent !== '/' && parent !== '.'; parent = posix.dirname(parent))
      if (paths.has(parent)) return true
    return false
  }
  return [...paths].filter((path) => path !== '/' && !isBelow(path))
}
