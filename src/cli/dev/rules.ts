import { join, relative, resolve } from 'node:path'

import type { BuildSpec, WatchRule } from '#cluster/spec'
import { ignoreRules, parseIgnoreFile, type IgnoreRules } from '#oci/patterns'

/** A rule of a service, ready to be asked about paths. */
export interface ServiceRule extends WatchRule {
  readonly service: string
  readonly isIgnored: (relativePath: string) => boolean
  /** Nothing below the directory can concern the rule. */
  readonly canSkip: (relativePath: string) => boolean
}

/** What editors leave beside a file while they save it, and what version control keeps to itself. */
const EPHEMERAL = ['**/.git', '**/.hg', '**/*~', '**/.#*', '**/#*#', '**/.*.sw?', '**/4913', '**/.idea', '**/.DS_Store']

export interface ServiceSource {
  readonly service: string
  readonly build: BuildSpec | undefined
  readonly rules: readonly WatchRule[]
  /** Text of the ignore file of its build context. */
  readonly ignoreText: string
}

/**
 * Pure: what is watched for a service. Without rules of its own, whatever its build reads means a new image; its Dockerfile always does. What
 * the build ignores concerns no rule either.
 */
export function rulesOf({ service, build, rules, ignoreText }: ServiceSource): readonly ServiceRule[] {
  if (build === undefined) return rules.map((rule) => serviceRule(service, rule, undefined, ''))
  const dockerfile = build.dockerfileText === null ? [rebuildOn(resolve(build.context, build.dockerfile))] : []
  const wanted = rules.length === 0 ? [...dockerfile, rebuildOn(build.context)] : [...rules, ...dockerfile]
  return wanted.map((rule) => serviceRule(service, rule, build.context, ignoreText))
}

function rebuildOn(path: string): WatchRule {
  return { path, action: 'rebuild', target: null, ignore: [], include: [], isInitialSync: false, exec: null }
}

function serviceRule(service: string, rule: WatchRule, context: string | undefined, ignoreText: string): ServiceRule {
  const own = ignoreRules([...EPHEMERAL, ...rule.ignore])
  const ofBuild = context === undefined ? undefined : buildRules(rule.path, context, ignoreText)
  const included = rule.include.length === 0 ? undefined : ignoreRules(rule.include)
  const isLeftOut = (path: string) => own.isIgnored(path) || ofBuild?.isIgnored(path) === true
  return {
    ...rule,
    service,
    // The path itself is what the rule is about, whatever an ignore file says.
    isIgnored: (path) => path !== '' && (isLeftOut(path) || included?.isIgnored(path) === false),
    canSkip: (path) =>
      path !== '' && ((own.isIgnored(path) && own.canSkipDirectory(path)) || ofBuild?.canSkipDirectory(path) === true),
  }
}

/** The ignore file speaks of paths in the context; the rule's path may lie inside of it. */
function buildRules(path: string, context: string, ignoreText: string): IgnoreRules | undefined {
  const inside = relative(context, path)
  if (inside.startsWith('..')) return undefined
  const rules = ignoreRules(parseIgnoreFile(ignoreText))
  return {
    isIgnored: (below) => rules.isIgnored(join(inside, below)),
    canSkipDirectory: (below) => rules.canSkipDirectory(join(inside, below)),
  }
}
