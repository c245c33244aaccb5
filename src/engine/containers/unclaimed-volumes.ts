import { messageOf } from '#base'

import type { Context } from './context.ts'

/**
 * Anonymous volumes that no container's record names: not yet, as it is being created, or no more, as it is being removed with its
 * volumes. They are written down for as long as that lasts, so that a crash in between leaves no volume that nobody asked for.
 */
type Unclaimed = Record<string, never>

const tableOf = (context: Pick<Context, 'records'>) => context.records.table<Unclaimed>('container_unclaimed_volume')

export function noteUnclaimed(context: Context, names: readonly string[]): void {
  for (const name of names) tableOf(context).put(name, {})
}

export function forgetUnclaimed(context: Context, names: readonly string[]): void {
  for (const name of names) tableOf(context).delete(name)
}

/** Of these mounts. */
export function anonymousVolumes(
  context: Context,
  mounts: readonly { readonly type: string; readonly name: string }[],
): readonly string[] {
  const names = new Set(mounts.filter(({ type }) => type === 'volume').map(({ name }) => name))
  if (names.size === 0) return []
  return context.volumes
    .list()
    .filter((volume) => volume.isAnonymous && names.has(volume.name))
    .map(({ name }) => name)
}

export function unclaimedVolumes(context: Context): readonly string[] {
  return tableOf(context)
    .entries()
    .map(([name]) => name)
}

/** Removes those among them that are noted and that no container uses, and then knows nothing of them any more. */
export async function removeUnclaimedVolumes(context: Context, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (tableOf(context).get(name) === undefined) continue
    try {
      const isThere = context.volumes.list().some((volume) => volume.name === name && volume.isAnonymous)
      if (isThere && context.volumes.users(name).length === 0) await context.volumes.remove(name, { force: true })
      forgetUnclaimed(context, [name])
    } catch (error) {
      context.log.warn('remove an anonymous volume', { volume: name, error: messageOf(error) })
    }
  }
}
