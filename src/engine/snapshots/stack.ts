import { snapshotError } from './errors.ts'

/** OVL_MAX_STACK of Linux. */
const MAX_LAYERS = 500

export interface StackLayer {
  readonly slot: number
  readonly isRootOpaque: boolean
  readonly isRootExplicit: boolean
}

export interface Stack {
  /** Slots to mount, top-most first. */
  readonly slots: readonly number[]
  /** The layer whose root directory says mode and owner of the image's root; undefined: 0755 of root. */
  readonly rootSlot: number | undefined
}

/**
 * `layers` base first. A layer that declares its root opaque hides all below it: overlayfs does not read that mark on the root of a
 * layer, so what is below is left out. A layer twice counts once, as its upper-most use.
 */
export function planStack(layers: readonly StackLayer[]): Stack {
  const topFirst = layers.toReversed()
  const opaque = topFirst.findIndex((layer) => layer.isRootOpaque)
  const visible = opaque === -1 ? topFirst : topFirst.slice(0, opaque + 1)
  const slots = [...new Set(visible.map((layer) => layer.slot))]
  if (slots.length > MAX_LAYERS)
    throw snapshotError('snapshot.too_many_layers', `${slots.length} layers, more than the ${MAX_LAYERS} that Linux stacks`)
  const root = visible.find((layer) => layer.isRootExplicit)
  return { slots, rootSlot: root?.slot }
}
