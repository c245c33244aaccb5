import type { Containers } from '#engine/containers'
import type { EngineEvent, Events } from '#engine/events'

/** Tells of each volume that a container takes into use and gives back, as `docker events` does. Follows the containers' own events. */
export function tellOfVolumes(events: Events, containers: Pick<Containers, 'list'>): Disposable {
  return events.listen((event) => {
    const action = actionOf(event)
    if (action === null) return
    const record = containers.list().find(({ id }) => id === event.actorId)
    for (const { type, name, target, driver, isReadOnly, propagation } of record?.mounts ?? []) {
      if (type !== 'volume') continue
      const use = { container: event.actorId, destination: target, propagation, 'read/write': String(!isReadOnly) }
      const attributes = action === 'mount' ? { driver, ...use } : { driver, container: event.actorId }
      events.publish({ type: 'volume', action, actorId: name, attributes })
    }
  })
}

function actionOf({ type, action }: EngineEvent): 'mount' | 'unmount' | null {
  if (type !== 'container') return null
  return action === 'start' ? 'mount' : action === 'die' ? 'unmount' : null
}
