import type { RevisionRecord, ServiceRecord } from '#cluster/model'
import { templateHash, type ServiceWish } from '#cluster/services'

/** A service, with the versions that what it mounts has now. */
export interface RotatedService {
  readonly service: ServiceRecord
  /** All that are kept. */
  readonly revisions: readonly RevisionRecord[]
  /** By `secret/NAME` and `config/NAME`; what does not exist is absent. */
  readonly versions: Readonly<Record<string, number>>
}

export type RotationStep =
  /** What was not there when the revision was made, or was not looked at: from now on it is known what its tasks were given. No new tasks. */
  | { readonly type: 'note'; readonly revision: RevisionRecord }
  /** Another revision, and new tasks. */
  | { readonly type: 'roll'; readonly wish: ServiceWish; readonly changed: readonly string[] }

/**
 * What a service needs now; null: nothing. Jobs are left alone: each of their runs is given the newest values anyway, and another revision would be another run. Pure.
 */
export function planRotation({ service, revisions, versions: now }: RotatedService): RotationStep | null {
  const wanted = revisions.find(({ number }) => number === service.revision)
  if (wanted === undefined || service.state === 'removing' || wanted.spec.job !== null) return null
  const known = wanted.parts.versions
  const changed = Object.keys(now).filter((key) => known[key] !== undefined && known[key] !== now[key])
  const parts = { ...wanted.parts, versions: { ...known, ...now } }
  const { spec, imageId, forced = 0 } = wanted
  const hash = templateHash(spec, parts, imageId, forced)
  if (changed.length === 0) {
    const isNews = Object.keys(now).some((key) => known[key] === undefined)
    return isNews ? { type: 'note', revision: { ...wanted, parts, templateHash: hash } } : null
  }
  // It was tried, and its rollout went back: the next value gets its chance.
  if (revisions.some(({ number, templateHash: tried }) => number > wanted.number && tried === hash)) return null
  return {
    type: 'roll',
    changed,
    wish: {
      name: service.name,
      stack: service.stack,
      labels: service.labels,
      // As many as it was scaled to.
      spec: spec.mode === 'replicated' ? { ...spec, replicas: service.replicas } : spec,
      parts,
      imageId,
      by: `glovebox, for ${changed.map((key) => `${key.replace('/', ' ')} version ${now[key]}`).join(', ')}`,
      ...(forced === 0 ? {} : { forced }),
    },
  }
}
