import type { EngineEvent } from '#engine/events'

import { readFilters } from './filters.ts'
import { scopeOf } from './translate/event-json.ts'

const ACTORS = ['container', 'network', 'volume', 'daemon', 'service', 'node', 'secret', 'config', 'plugin'] as const
const KNOWN = ['type', 'event', 'image', 'label', 'scope', ...ACTORS]

/** The `filters` of GET /events as a test. Error: `docker.filter_invalid`. */
export function eventTest(text: string): (event: EngineEvent) => boolean {
  const filters = readFilters(text, KNOWN)
  return (event) =>
    filters.matches('type', (type) => type === event.type) &&
    filters.matches(
      'event',
      (action) => event.action === action || event.action.startsWith(`${action}: `) || event.action.startsWith(`${action}:`),
    ) &&
    filters.matches('scope', (scope) => scope === scopeOf(event)) &&
    ACTORS.every((type) => filters.matches(type, (value) => isActor(event, type, value))) &&
    filters.matches('image', (value) => isOfImage(event, value)) &&
    filters.matchesLabels(event.attributes)
}

/** An id, a prefix of one, or a name. */
function isActor(event: EngineEvent, type: string, value: string): boolean {
  if (event.type !== type) return false
  return event.actorId.startsWith(value) || event.attributes['name'] === value
}

function isOfImage(event: EngineEvent, value: string): boolean {
  const name = event.type === 'image' ? (event.attributes['name'] ?? '') : (event.attributes['image'] ?? '')
  return event.actorId === value || name === value || withoutTag(name) === value
}

function withoutTag(name: string): string {
  const mark = name.lastIndexOf(':')
  return mark > name.lastIndexOf('/') ? name.slice(0, mark) : name
}
