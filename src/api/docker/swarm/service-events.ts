import type { RevisionRecord, ServiceRecord } from '#cluster/model'

import { updateState } from './service-json.ts'

/** A service as it is at one time, with the image that is wanted then. */
export interface ServiceAt {
  readonly record: ServiceRecord
  readonly revision: RevisionRecord | undefined
}

/** What an event `service update` tells of a change, in dockerd's words; undefined: clients see no difference. */
export function serviceChange(before: ServiceAt, after: ServiceAt): Readonly<Record<string, string>> | undefined {
  const told = {
    ...pair('image', imageOf(before), imageOf(after)),
    ...pair('replicas', replicasOf(before), replicasOf(after)),
    ...pair('updatestate', updateState(before.record) ?? '', updateState(after.record) ?? ''),
  }
  const isSame =
    Object.keys(told).length === 0 &&
    before.record.revision === after.record.revision &&
    JSON.stringify(before.record.labels) === JSON.stringify(after.record.labels)
  return isSame ? undefined : { name: after.record.name, ...told }
}

function imageOf({ revision }: ServiceAt): string {
  return revision?.spec.task.image ?? ''
}

function replicasOf({ record, revision }: ServiceAt): string {
  return revision?.spec.mode === 'replicated' ? String(record.replicas) : ''
}

/** One that was not there before has no `.old`. */
function pair(name: string, before: string, after: string): Readonly<Record<string, string>> {
  if (before === after || after === '') return {}
  return { [`${name}.new`]: after, ...(before === '' ? {} : { [`${name}.old`]: before }) }
}
