import type { EngineEvent } from '#engine/events'

const NS_PER_S = 1_000_000_000n

/** EventMessage as one line of JSON text: nanoseconds since 1970 do not fit into a JavaScript number. */
export function eventLine(event: EngineEvent): string {
  const json = JSON.stringify({
    ...legacyFields(event),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: event.attributes },
    scope: scopeOf(event),
    time: Number(event.timeNs / NS_PER_S),
  })
  return `${json.slice(0, -1)},"timeNano":${event.timeNs}}\n`
}

/** What is of the whole swarm, and not of this machine. */
export function scopeOf({ type }: EngineEvent): 'local' | 'swarm' {
  return type === 'service' || type === 'node' || type === 'secret' || type === 'config' ? 'swarm' : 'local'
}

/** `status`, `id` and `from` are the form of before 1.22; old clients read nothing else. */
function legacyFields(event: EngineEvent) {
  if (event.type !== 'container' && event.type !== 'image') return {}
  const from = event.type === 'container' ? event.attributes['image'] : undefined
  return { status: event.action, id: event.actorId, ...(from === undefined ? {} : { from }) }
}
