import type { ServiceSpec } from '#cluster/spec'

import type { RevisionRecord } from './service-record.ts'

/** What people compare of two revisions: what tasks are made from, and how the service is operated; not where its file lay, nor in which words it was said. */
export interface DescribedRevision {
  readonly spec: ServiceSpec
  readonly imageId: string | null
  readonly forced: number
  /** Names on the node, by the keys that the spec says. */
  readonly networks: Readonly<Record<string, string>>
  readonly volumes: Readonly<Record<string, string>>
  /** By `secret/NAME` and `config/NAME`. */
  readonly secretVersions: Readonly<Record<string, number>>
}

export function describedRevision({
  spec,
  parts,
  imageId,
  forced,
}: Pick<RevisionRecord, 'spec' | 'imageId'> & {
  readonly forced?: number
  readonly parts: Pick<RevisionRecord['parts'], 'networks' | 'volumes' | 'versions'>
}): DescribedRevision {
  return {
    spec,
    imageId,
    forced: forced ?? 0,
    networks: namesOf(parts.networks),
    volumes: namesOf(parts.volumes),
    secretVersions: parts.versions,
  }
}

function namesOf(parts: readonly { readonly key: string; readonly name: string }[]): Readonly<Record<string, string>> {
  return Object.fromEntries(parts.map(({ key, name }) => [key, name]))
}
