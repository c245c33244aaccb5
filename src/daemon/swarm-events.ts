import { serviceChange, type ServiceAt } from '#api/docker'
import { keyOf, prefixOf, type RevisionRecord, type ServiceRecord } from '#cluster/model'
import type { Mirror } from '#cluster/services'
import type { Events } from '#engine/events'

/** Tells clients what becomes of services by themselves: that an update is over, or was stopped. Who asked for a change hears of it here as well. */
export function tellOfServices(
  mirror: Pick<Mirror, 'range' | 'get' | 'listen'>,
  events: Pick<Events, 'publish'>,
  isTold: () => boolean,
): Disposable {
  let known = new Map<string, ServiceAt>()
  const at = (record: ServiceRecord): ServiceAt => ({
    record,
    revision: mirror.get<RevisionRecord>(keyOf('revision', record.id, record.revision))?.value,
  })
  const readAll = () => {
    known = new Map(mirror.range<ServiceRecord>(prefixOf('service')).map(({ value }) => [value.id, at(value)]))
  }
  readAll()
  return mirror.listen(({ changes }) => {
    if (changes.length === 0) return readAll()
    for (const { key } of changes) {
      if (!key.startsWith(prefixOf('service'))) continue
      const id = key.slice(prefixOf('service').length)
      const record = mirror.get<ServiceRecord>(key)?.value
      const before = known.get(id)
      known.delete(id)
      if (record === undefined) continue
      const now = at(record)
      known.set(id, now)
      const attributes = before === undefined || record.state === 'removing' ? undefined : serviceChange(before, now)
      if (attributes !== undefined && isTold()) events.publish({ type: 'service', action: 'update', actorId: id, attributes })
    }
  })
}
