import { mkdtempSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Random } from '#base'
import type { LayerPath } from '#engine/builder'
import type { Snapshots } from '#engine/snapshots'

export interface TreeNeeds {
  readonly snapshots: Snapshots
  readonly random: Random
  readonly temporary: string
}

/**
 * A part of merged layers as a path on the host, until the stack gives it back. The path of the part holds no link and its layers never
 * change, so that nothing can lead it elsewhere. A writable one has a directory of its own over the layers that goes with it.
 */
export function openTree(
  { snapshots, random, temporary }: TreeNeeds,
  tree: LayerPath & { readonly isWritable: boolean },
  undo: AsyncDisposableStack,
): string {
  if (tree.isWritable) {
    const id = `build-mount-${random.bytes(16).toString('hex')}`
    undo.defer(async () => await snapshots.removeContainer(id))
    return join(snapshots.mountContainer({ id, layers: tree.layers }).rootfs, tree.path)
  }
  const target = mkdtempSync(join(temporary, 'tree-'))
  undo.defer(() => rmdirSync(target))
  if (tree.layers.length > 0) undo.use(snapshots.mountReadOnly(tree.layers, target))
  return join(target, tree.path)
}
