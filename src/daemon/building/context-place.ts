import type { KeptPlace } from '#engine/builder'
import type { KeptContexts } from '#engine/builder/kept-context'

/** Contexts as one of the things that builds keep. A build that runs has its files open: it loses nothing. */
export function contextPlace(contexts: Pick<KeptContexts, 'list' | 'remove'>): KeptPlace {
  const prefix = 'context-'
  return {
    list: () =>
      contexts.list().map(({ id, sizeBytes, usedMs }) => {
        const used = new Date(usedMs).toISOString()
        const description = 'files of a build context'
        const entry = { kind: 'source.local' as const, description, sizeBytes, isInUse: false, createdAt: used, lastUsedAt: used }
        return { ...entry, id: `${prefix}${id}`, usageCount: 1 }
      }),
    remove: async (id) => id.startsWith(prefix) && (await contexts.remove(id.slice(prefix.length))),
  }
}
