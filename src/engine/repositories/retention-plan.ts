import { compileGlob } from '#oci/patterns'

import type { RepositoryRows } from './catalog.ts'
import { repositoryError } from './errors.ts'
import { BLOB_GRACE_MS } from './limits.ts'
import type { CollectedItem, RetentionRule } from './port.ts'

/** One repository's part of a collection, in the order in which it is carried out: names first, what they held after. */
export interface RetentionPlan {
  readonly removals: readonly CollectedItem[]
}

/**
 * What a collection removes of a repository, with the reason for each. The first rule whose pattern matches decides about tags and untagged
 * manifests; without one they stay. Blobs that no manifest names go after a time of grace, rule or not. What a manifest that stays names,
 * stays: manifests of an index, subjects' referrers, configurations and layers.
 */
export function planRetention(name: string, rows: RepositoryRows, rules: readonly RetentionRule[], nowMs: number): RetentionPlan {
  const rule = rules.find(({ repositories }) => globOf(repositories).matches(name))
  const tags = rule === undefined ? [] : tagRemovals(name, rows, rule, nowMs)
  const goneTags = new Set(tags.map((item) => item.name))
  const manifests = rule === undefined ? [] : manifestRemovals(name, rows, rule, goneTags, nowMs)
  const goneManifests = new Set(manifests.map((item) => item.name))
  return { removals: [...tags, ...manifests, ...blobRemovals(name, rows, goneManifests, nowMs)] }
}

/** Error: `repository.rule_invalid`. */
export function checkRule(rule: RetentionRule): RetentionRule {
  try {
    globOf(rule.repositories)
    for (const pattern of rule.keepTags ?? []) globOf(pattern)
  } catch (error) {
    throw repositoryError(
      'repository.rule_invalid',
      `the retention rule for ${JSON.stringify(rule.repositories)} has a broken pattern`,
      {
        cause: error,
      },
    )
  }
  if ((rule.keepLast ?? 0) < 0)
    throw repositoryError('repository.rule_invalid', `keepLast is ${rule.keepLast}, and less than none cannot stay`)
  return rule
}

function globOf(pattern: string) {
  return compileGlob(pattern, { hasDoubleStar: true })
}

function tagRemovals(name: string, rows: RepositoryRows, rule: RetentionRule, nowMs: number): CollectedItem[] {
  const { keepLast, keepYoungerMs } = rule
  // A rule that says nothing of tags leaves them all.
  if (keepLast === undefined && keepYoungerMs === undefined) return []
  const kept = (rule.keepTags ?? []).map(globOf)
  const newestFirst = [...rows.tags].toSorted(([a, x], [b, y]) => y.atMs - x.atMs || (a < b ? -1 : 1))
  return newestFirst.flatMap(([tag, row], index) => {
    const isKept =
      (keepLast !== undefined && index < keepLast) ||
      (keepYoungerMs !== undefined && nowMs - row.atMs < keepYoungerMs) ||
      kept.some((glob) => glob.matches(tag))
    if (isKept) return []
    const reasons = [
      ...(keepLast === undefined ? [] : [`not among the last ${keepLast}`]),
      ...(keepYoungerMs === undefined ? [] : [`older than ${days(keepYoungerMs)}`]),
    ]
    return [{ kind: 'tag' as const, repository: name, name: tag, reason: reasons.join(', ') }]
  })
}

function manifestRemovals(
  name: string,
  rows: RepositoryRows,
  rule: RetentionRule,
  goneTags: ReadonlySet<string>,
  nowMs: number,
): CollectedItem[] {
  const after = rule.untaggedAfterMs
  if (after === undefined) return []
  const held = heldManifests(rows, goneTags, (digest) => nowMs - (rows.manifests.get(digest)?.atMs ?? nowMs) < after)
  return [...rows.manifests.keys()]
    .filter((digest) => !held.has(digest))
    .map((digest) => ({ kind: 'manifest', repository: name, name: digest, reason: `without a tag for more than ${days(after)}` }))
}

/** Manifests that a tag, their youth, an index or a subject holds. */
function heldManifests(
  rows: RepositoryRows,
  goneTags: ReadonlySet<string>,
  isYoung: (digest: string) => boolean,
): ReadonlySet<string> {
  const tagged = [...rows.tags].flatMap(([tag, { digest }]) => (goneTags.has(tag) ? [] : [digest]))
  const waiting = [...tagged, ...[...rows.manifests.keys()].filter(isYoung)]
  const referrers = new Map<string, string[]>()
  for (const [digest, { subject }] of rows.manifests)
    if (subject !== null) referrers.set(subject, [...(referrers.get(subject) ?? []), digest])
  const held = new Set<string>()
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    const row = rows.manifests.get(digest)
    if (row === undefined || held.has(digest)) continue
    held.add(digest)
    waiting.push(...row.manifests, ...(referrers.get(digest) ?? []))
  }
  return held
}

function blobRemovals(name: string, rows: RepositoryRows, goneManifests: ReadonlySet<string>, nowMs: number): CollectedItem[] {
  const named = new Set([...rows.manifests].flatMap(([digest, { blobs }]) => (goneManifests.has(digest) ? [] : blobs)))
  return [...rows.blobs]
    .filter(([digest, { atMs }]) => !named.has(digest) && nowMs - atMs >= BLOB_GRACE_MS)
    .map(([digest]) => ({ kind: 'blob', repository: name, name: digest, reason: 'no manifest names it' }))
}

function days(ms: number): string {
  const hours = ms / 3_600_000
  return hours >= 48 ? `${Math.round(hours / 24)} days` : `${Math.round(hours)} hours`
}
