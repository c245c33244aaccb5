import { keyOf, prefixOf, type ServiceRecord, type TaskRecord } from '#cluster/model'

import type { Mirror } from './mirror.ts'

/** Which services have to be planned anew: those that something changed of, and all others of their stacks, for these wait for one another. */
export interface DirtyServices {
  /** Those since the last time, or null: all of them. */
  take(): ReadonlySet<string> | null
  all(): void
  add(id: string): void
}

export function dirtyServices(mirror: Mirror): DirtyServices {
  const serviceOf = new Map<string, string>()
  let dirty = new Set<string>()
  let isAll = true

  mirror.listen(({ changes }) => {
    if (changes.length === 0) isAll = true
    for (const { key, value } of changes) note(key, value)
  })

  function note(key: string, value: unknown): void {
    const [kind = '', id = ''] = key.split('/')
    switch (kind) {
      case 'node':
      case 'alive':
        isAll = true
        return
      case 'service':
      case 'revision':
      case 'run':
      case 'turn':
        return void dirty.add(id)
      case 'task': {
        const serviceId = value === null ? serviceOf.get(id) : (value as TaskRecord).serviceId
        if (value === null) serviceOf.delete(id)
        if (serviceId === undefined) return void (isAll = true)
        if (value !== null) serviceOf.set(id, serviceId)
        return void dirty.add(serviceId)
      }
      default:
    }
  }

  function withStacks(ids: ReadonlySet<string>): ReadonlySet<string> {
    const stacks = new Set<string>()
    for (const id of ids) {
      const service = mirror.get<ServiceRecord>(keyOf('service', id))?.value
      // Of one that is gone nobody knows any more who waited for it.
      if (service === undefined) return new Set(mirror.range<ServiceRecord>(prefixOf('service')).map(({ value }) => value.id))
      if (service.stack !== null) stacks.add(service.stack)
    }
    if (stacks.size === 0) return ids
    const mates = mirror
      .range<ServiceRecord>(prefixOf('service'))
      .filter(({ value }) => value.stack !== null && stacks.has(value.stack))
    return new Set([...ids, ...mates.map(({ value }) => value.id)])
  }

  return {
    take: () => {
      const taken = isAll ? null : withStacks(dirty)
      isAll = false
      dirty = new Set()
      return taken
    },
    all: () => void (isAll = true),
    add: (id) => void dirty.add(id),
  }
}
