import type { MountEntry } from '#host'

import type { LayerKind } from './port.ts'

export interface RecoveryFacts {
  /** Mounts at or below the root, in mount order. */
  readonly mounts: readonly Pick<MountEntry, 'target' | 'type' | 'source'>[]
  readonly layers: readonly {
    readonly name: string
    readonly kind: LayerKind
    readonly mountPoint: string
    readonly index: string
  }[]
  readonly containers: readonly { readonly id: string; readonly rootfs: string }[]
  /** What this daemon can mount. */
  readonly kind: LayerKind
}

export interface RecoveryPlan {
  /** Top-most first. */
  readonly unmount: readonly string[]
  readonly layers: readonly { readonly name: string; readonly action: 'adopt-attached' | 'adopt' | 'discard' }[]
  readonly mountedContainers: readonly string[]
}

/**
 * After a restart of the daemon the mounts are still there, after a reboot they are gone; both and everything in between come out as
 * the same kind of plan. Kept are containers' roots and layers that match their records; any other mount under the root was a
 * temporary view whose user is gone. Layers of a kind that this kernel cannot mount are discarded: their tars make them anew.
 */
export function planRecovery({ mounts, layers, containers, kind }: RecoveryFacts): RecoveryPlan {
  const top = new Map(mounts.map((mount) => [mount.target, mount]))
  const isUsable = (layer: RecoveryFacts['layers'][number]) => layer.kind === 'directory' || kind === 'erofs'
  const isAttached = (layer: RecoveryFacts['layers'][number]) => {
    const mount = top.get(layer.mountPoint)
    return layer.kind === 'erofs' && mount?.type === 'erofs' && mount.source === layer.index
  }
  const mountedContainers = containers.filter(({ rootfs }) => top.get(rootfs)?.type === 'overlay').map(({ id }) => id)
  const kept = new Set([
    ...containers.filter(({ id }) => mountedContainers.includes(id)).map(({ rootfs }) => rootfs),
    ...layers.filter((layer) => isUsable(layer) && isAttached(layer)).map(({ mountPoint }) => mountPoint),
  ])
  return {
    unmount: mounts
      .filter(({ target }) => !kept.has(target))
      .map(({ target }) => target)
      .toReversed(),
    layers: layers.map((layer) => ({
      name: layer.name,
      action: !isUsable(layer) ? 'discard' : isAttached(layer) ? 'adopt-attached' : 'adopt',
    })),
    mountedContainers,
  }
}
