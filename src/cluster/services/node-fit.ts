import type { NodeRecord } from '#cluster/model'
import type { PlacementConstraint, PlacementSpec } from '#cluster/spec'

/** Whether a task of a global service belongs on the node, new ones also by its availability; room is the scheduler's matter. Pure. */
export function wantsNode(placement: PlacementSpec, node: NodeRecord): boolean {
  return (
    node.availability !== 'drain' &&
    placement.constraints.every((constraint) => holds(constraint, node)) &&
    isPlatform(placement, node)
  )
}

function holds({ key, operator, value }: PlacementConstraint, node: NodeRecord): boolean {
  const isSame = attributeOf(key, node)?.toLowerCase() === value.toLowerCase()
  return operator === '==' ? isSame : !isSame
}

function attributeOf(key: string, { id, role, labels, description }: NodeRecord): string | undefined {
  if (key.startsWith('node.labels.')) return labels[key.slice('node.labels.'.length)]
  if (key.startsWith('engine.labels.')) return description.engineLabels[key.slice('engine.labels.'.length)]
  const plain: Readonly<Record<string, string>> = {
    'node.id': id,
    'node.hostname': description.hostname,
    'node.role': role,
    'node.platform.os': description.platform.os,
    'node.platform.arch': description.platform.architecture,
  }
  return plain[key]
}

function isPlatform({ platforms }: PlacementSpec, { description }: NodeRecord): boolean {
  const { os, architecture } = description.platform
  return (
    platforms.length === 0 ||
    platforms.some((one) => (one.os === '' || one.os === os) && (one.architecture === '' || one.architecture === architecture))
  )
}
