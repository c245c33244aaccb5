import { scanTar, type ReadAt } from '#oci/tar'

import { layerMerge } from './merge.ts'
import type { LayerTree } from './tree.ts'

/** Reads a whole layer at once. For large layers feed `layerMerge` in portions instead, so that others get their turn. */
export function readLayer(readAt: ReadAt, totalBytes: number): LayerTree {
  const merge = layerMerge()
  for (const entry of scanTar(readAt, totalBytes)) merge.add(entry)
  return merge.finish()
}
