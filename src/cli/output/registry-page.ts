import type { CollectReport, RetentionRule } from '#api/glovebox'
import { formatBytes } from '#base'

import { renderTable } from './table.ts'
import { roughDuration } from './units.ts'

/** A rule as `registry rules` takes it, in words. */
export function ruleText(rule: RetentionRule): string {
  const kept = [
    ...(rule.keepLast === undefined ? [] : [`the last ${rule.keepLast} tags`]),
    ...(rule.keepYoungerMs === undefined ? [] : [`tags younger than ${roughDuration(rule.keepYoungerMs)}`]),
    ...(rule.keepTags ?? []).map((pattern) => `tags like ${pattern}`),
  ]
  const hasTagRule = rule.keepLast !== undefined || rule.keepYoungerMs !== undefined
  const untagged = rule.untaggedAfterMs === undefined ? 'for ever' : `for ${roughDuration(rule.untaggedAfterMs)}`
  return `${rule.repositories}: keeps ${hasTagRule ? kept.join(', ') : 'all tags'}; what has no tag ${untagged}`
}

export function collectPage({ removed, reclaimedBytes }: CollectReport, isDryRun: boolean): string {
  if (removed.length === 0) return 'nothing to remove\n'
  const rows = removed.map(({ kind, repository, name, reason }) => [kind, repository, shortened(name), reason])
  const table = renderTable([{ title: 'WHAT' }, { title: 'REPOSITORY' }, { title: 'NAME' }, { title: 'WHY' }], rows)
  return `${table}${isDryRun ? 'would be removed' : `removed, ${formatBytes(reclaimedBytes)} free`}\n`
}

/** The beginning of a digest is enough to tell them apart. */
export function shortened(name: string): string {
  return name.replace(/^(sha(?:256|512):[0-9a-f]{12})[0-9a-f]+$/, '$1')
}
