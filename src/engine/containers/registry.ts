import { invariant, shortId, type ContainerId, type RecordTable } from '#base'

import { containerError } from './errors.ts'
import type { LiveContainer } from './live.ts'
import type { ContainerRecord, ContainerStatus } from './record.ts'

/** The containers of this machine: in memory for reading, in the table for keeps. Every change is written before it is seen. */
export interface Registry {
  /** By full id, name or unambiguous prefix. Errors: `container.not_found`, `container.ambiguous`. */
  find(ref: string): LiveContainer
  tryFind(ref: string): LiveContainer | undefined
  all(): readonly LiveContainer[]
  /** Error: `container.name_in_use`. Dispose to give the name back if nothing came of it. */
  reserveName(name: string, id: ContainerId): Disposable
  isNameTaken(name: string): boolean
  add(live: LiveContainer): void
  /** One that the table has already. */
  adopt(live: LiveContainer): void
  /** In memory only: for what is about to be removed. */
  setPassing(live: LiveContainer, change: Partial<ContainerStatus>): void
  drop(live: LiveContainer): void
  setStatus(live: LiveContainer, change: Partial<ContainerStatus>): void
  replace(live: LiveContainer, record: ContainerRecord): void
}

export function createRegistry(table: RecordTable<ContainerRecord>): Registry {
  const byId = new Map<string, LiveContainer>()
  const idByName = new Map<string, ContainerId>()

  const tryFind = (ref: string): LiveContainer | undefined => {
    const text = ref.replace(/^\//, '')
    const exact = byId.get(text) ?? byId.get(idByName.get(text) ?? '')
    if (exact !== undefined || !/^[0-9a-f]+$/.test(text)) return exact
    const matches = [...byId.values()].filter((live) => live.record.id.startsWith(text))
    if (matches.length > 1)
      throw containerError('container.ambiguous', `Multiple IDs found with provided prefix: ${text}`, {
        hint: 'Write more digits of the id, or the name.',
      })
    return matches[0]
  }

  const replace = (live: LiveContainer, record: ContainerRecord, write: (id: string, record: ContainerRecord) => void) => {
    invariant(byId.get(live.record.id) === live, `container ${shortId(live.record.id)} is in the registry`)
    write(record.id, record)
    live.record = record
  }

  const adopt = (live: LiveContainer) => {
    byId.set(live.record.id, live)
    idByName.set(live.record.name, live.record.id)
  }

  return {
    tryFind,
    find: (ref) => {
      const live = tryFind(ref)
      if (live === undefined) throw containerError('container.not_found', `No such container: ${ref}`)
      return live
    },
    all: () => [...byId.values()],
    isNameTaken: (name) => idByName.has(name),
    reserveName: (name, id) => {
      const holder = idByName.get(name)
      if (holder !== undefined && holder !== id) {
        throw containerError(
          'container.name_in_use',
          `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
        )
      }
      idByName.set(name, id)
      return { [Symbol.dispose]: () => void idByName.delete(name) }
    },
    add: (live) => {
      if (live.record.spec.shouldAutoRemove) table.note(live.record.id, live.record)
      else table.put(live.record.id, live.record)
      adopt(live)
    },
    adopt,
    setPassing: (live, change) => {
      live.record = { ...live.record, status: { ...live.record.status, ...change } }
    },
    drop: (live) => {
      // One that removes itself would be removed again after a power cut: nothing to wait for.
      if (live.record.spec.shouldAutoRemove) table.forget(live.record.id)
      else table.delete(live.record.id)
      byId.delete(live.record.id)
      idByName.delete(live.record.name)
    },
    // A power cut ends every process: what was seen of one need not be waited for on the disk.
    setStatus: (live, change) => replace(live, { ...live.record, status: { ...live.record.status, ...change } }, table.note),
    replace: (live, record) => {
      if (record.name !== live.record.name) {
        idByName.delete(live.record.name)
        idByName.set(record.name, record.id)
      }
      replace(live, record, table.put)
    },
  }
}
