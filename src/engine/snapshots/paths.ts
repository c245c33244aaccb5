import { join } from 'node:path'

import type { Digest } from '#base'

import { snapshotError } from './errors.ts'

/**
 * What lies where. Layer directories are whole or absent: they are made under a temporary name. Mount points have short names,
 * because mount(2) takes all layers of an overlay in one page.
 */
export interface SnapshotPaths {
  readonly layers: string
  readonly mounts: string
  readonly containers: string
  /** Directories that stay empty: overlayfs wants a lower layer always, and two when there is nothing to write to. */
  readonly empty: readonly [string, string]
  layer(diffId: Digest): string
  mount(slot: number): string
  container(id: string): string
  upper(id: string): string
  work(id: string): string
  rootfs(id: string): string
}

export const RECORD_FILE = 'layer.json'
export const INDEX_FILE = 'index.erofs'
export const CONTENT_FILE = 'content.tar'
export const TREE_DIRECTORY = 'tree'
export const CONTAINER_FILE = 'layers.json'
/** Names that begin so are half-made or half-deleted: recovery removes them. */
export const TEMPORARY = '.tmp-'

export function snapshotPaths(root: string): SnapshotPaths {
  const containers = join(root, 'containers')
  const container = (id: string) => join(containers, checkedId(id))
  return {
    layers: join(root, 'layers'),
    mounts: join(root, 'm'),
    containers,
    empty: [join(root, 'empty', '0'), join(root, 'empty', '1')],
    layer: (diffId) => join(root, 'layers', hexOf(diffId)),
    mount: (slot) => join(root, 'm', slot.toString(36)),
    container,
    upper: (id) => join(container(id), 'upper'),
    work: (id) => join(container(id), 'work'),
    rootfs: (id) => join(container(id), 'rootfs'),
  }
}

/** The 64 digits. The grammar is checked here too, since they become a path. */
export function hexOf(diffId: Digest): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(diffId)
  if (match?.[1] === undefined)
    throw snapshotError('snapshot.digest_unsupported', `layer ${JSON.stringify(diffId.slice(0, 100))} is not a sha256 digest`)
  return match[1]
}

function checkedId(id: string): string {
  if (!/^[0-9A-Za-z][0-9A-Za-z_.-]{0,127}$/.test(id))
    throw snapshotError('snapshot.container_not_found', `${JSON.stringify(id.slice(0, 100))} is not the id of a container`)
  return id
}
