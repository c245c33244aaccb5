import { parseDurationMs } from '#base'
import type { Query } from '#api/http'
import type { CacheUsage, PruneWish } from '#engine/builder'

import { dockerError } from '../errors.ts'
import { readFilters, type Filters } from '../filters.ts'

const FILTERS = ['until', 'unused-for', 'id', 'parent', 'type', 'description', 'inuse', 'shared', 'private']

/** The query of POST /build/prune. Errors: `docker.option_unsupported`, `docker.filter_invalid`, `input.invalid`. */
export function pruneWish(query: Query): PruneWish {
  if (!['', '0'].includes(query.text('min-free-space')))
    throw dockerError('docker.option_unsupported', 'build prune: query min-free-space is not supported', {
      hint: 'Give the daemon a policy with --gc: it keeps the disk free by itself.',
    })
  const filters = readFilters(query.text('filters'), FILTERS)
  const idle = filters.values('until')[0] ?? filters.values('unused-for')[0]
  // `max-used-space` and, by its older names, `reserved-space` say what may stay; the smaller counts.
  const kept = ['keep-storage', 'reserved-space', 'max-used-space'].flatMap((name) => query.int(name) || [])
  return {
    all: query.bool('all'),
    matches: matcher(filters),
    ...(idle === undefined ? {} : { unusedMs: parseDurationMs(idle, 'filter until') }),
    ...(kept.length === 0 ? {} : { keepBytes: Math.min(...kept) }),
  }
}

function matcher(filters: Filters): (entry: CacheUsage) => boolean {
  const flags = { inuse: filters.flag('inuse'), shared: filters.flag('shared'), private: filters.flag('private') }
  return (entry) =>
    filters.matches('id', (id) => entry.id.startsWith(id)) &&
    // Steps name the layers below them in their key, and are nobody's children.
    filters.matches('parent', () => false) &&
    filters.matches('type', (type) => entry.kind === type) &&
    filters.matches('description', (text) => entry.description.includes(text)) &&
    (flags.inuse ?? entry.isInUse) === entry.isInUse &&
    (flags.shared ?? entry.isShared) === entry.isShared &&
    (flags.private ?? !entry.isShared) === !entry.isShared
}
