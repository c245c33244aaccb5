import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { Clock, Log, RecordStore } from '#base'
import type { KeptPlace } from '#engine/builder'

const execute = promisify(execFile)

interface CacheMountRecord {
  readonly description: string
  readonly sizeBytes: number
  readonly created: string
  readonly lastUsed: string
  readonly uses: number
}

/** What is known of the directories of cache mounts. */
export interface CacheMounts extends KeptPlace {
  /** A step begins with it; the stack says when it ends. `name` is that of its directory. */
  use(name: string, description: string, undo: AsyncDisposableStack): void
}

/** Their sizes are looked at after each use, beside the build. */
export function cacheMounts(
  home: string,
  needs: { readonly store: RecordStore; readonly clock: Clock; readonly log: Log },
): CacheMounts {
  const { clock, log } = needs
  const table = needs.store.table<CacheMountRecord>('build-cache-mount')
  const users = new Map<string, number>()
  const idOf = (name: string) => `mount-${name}`
  const release = (name: string): void => {
    const count = (users.get(name) ?? 1) - 1
    if (count > 0) users.set(name, count)
    else users.delete(name)
    void measure(name).catch((error: unknown) => log.warn('measure a cache of builds', { name, error: String(error) }))
  }
  const measure = async (name: string): Promise<void> => {
    const { stdout } = await execute('du', ['--summarize', '--block-size=1', '--', join(home, name)])
    const record = table.get(name)
    if (record !== undefined) table.note(name, { ...record, sizeBytes: Number(stdout.split('\t')[0]) || 0 })
  }
  return {
    use: (name, description, undo) => {
      const now = new Date(clock.nowMs()).toISOString()
      const before = table.get(name) ?? { created: now, sizeBytes: 0, uses: 0 }
      table.put(name, { ...before, description, lastUsed: now, uses: before.uses + 1 })
      users.set(name, (users.get(name) ?? 0) + 1)
      undo.defer(() => release(name))
    },
    list: () =>
      table.entries().map(([name, { description, sizeBytes, created, lastUsed, uses }]) => ({
        id: idOf(name),
        kind: 'exec.cachemount' as const,
        description,
        sizeBytes,
        isInUse: users.has(name),
        createdAt: created,
        lastUsedAt: lastUsed,
        usageCount: uses,
      })),
    remove: async (id) => {
      const name = id.replace(/^mount-/, '')
      if (idOf(name) !== id || table.get(name) === undefined || users.has(name)) return false
      const path = join(home, name)
      // In one moment: what a step takes from here on is a new one.
      const gone = existsSync(path) ? mkdtempSync(join(home, '.gone-')) : undefined
      if (gone !== undefined) renameSync(path, join(gone, name))
      table.delete(name)
      if (gone !== undefined) await rm(gone, { recursive: true, force: true })
      return true
    },
  }
}
