import type { Backend, BackendGroup } from './port.ts'

/** HAProxy's own bound. */
export const MAX_WEIGHT = 256
/** A backend of a route without groups. What draws by weight keeps 16 nodes of a tree for each unit: more would be memory, fewer uneven. */
const EVEN_WEIGHT = 16

/**
 * A weight from 0 to 256 for each backend, by its id, so that the parts of the groups come as near to their shares as whole numbers let them, whatever the
 * numbers of their backends: one of a hundred in one group, fifty in the other. Where a part is too small to be split over all backends of its group some
 * get nothing. Only those that are ready count; the others keep the weight of one. Pure.
 */
export function backendWeights(
  backends: readonly Backend[],
  groups: readonly BackendGroup[] | undefined,
): ReadonlyMap<string, number> {
  if (groups === undefined) return new Map(backends.map((backend) => [backend.id, EVEN_WEIGHT]))
  const members = groups.map((group) => ({
    share: group.share,
    ids: backends.filter((backend) => backend.state === 'ready' && backend.group === group.name).map((backend) => backend.id),
  }))
  const active = members.filter((group) => group.share > 0 && group.ids.length > 0)
  const totals = bestTotals(active.map((group) => ({ share: group.share, most: group.ids.length * MAX_WEIGHT })))
  const weights = new Map<string, number>(backends.map((backend) => [backend.id, 0]))
  for (const [index, group] of active.entries()) {
    for (const [id, weight] of spread(totals[index] ?? 0, group.ids)) weights.set(id, weight)
  }
  return weights
}

interface Part {
  readonly share: number
  readonly most: number
}

/** Tries every size of the group that is bound the most; the larger wins where the shares come out the same. */
function bestTotals(parts: readonly Part[]): readonly number[] {
  const first = parts.reduce<Part | undefined>(
    (tightest, part) => (tightest === undefined || part.most / part.share < tightest.most / tightest.share ? part : tightest),
    undefined,
  )
  if (first === undefined) return []
  let best: { readonly totals: readonly number[]; readonly error: number } | undefined
  for (let size = first.most; size >= Math.max(1, first.most / 2); size -= 1) {
    const totals = parts.map((part) => Math.min(part.most, Math.max(1, Math.round((part.share * size) / first.share))))
    const error = worstError(parts, totals)
    if (best === undefined || error < best.error - 1e-9) best = { totals, error }
  }
  return best?.totals ?? []
}

function worstError(parts: readonly Part[], totals: readonly number[]): number {
  const wanted = parts.reduce((sum, part) => sum + part.share, 0)
  const given = totals.reduce((sum, total) => sum + total, 0)
  return Math.max(...parts.map((part, index) => Math.abs(part.share / wanted - (totals[index] ?? 0) / given)))
}

function spread(total: number, ids: readonly string[]): readonly (readonly [string, number])[] {
  const each = Math.floor(total / ids.length)
  const more = total - each * ids.length
  return ids.map((id, index) => [id, each + (index < more ? 1 : 0)])
}
