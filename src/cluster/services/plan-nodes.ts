import type { NodeRecord } from '#cluster/model'

/** Nodes that do not show that they live any more: what their records are to say. Pure. */
export function planNodes(nodes: readonly NodeRecord[], isAlive: (id: string) => boolean, nowMs: number): readonly NodeRecord[] {
  return nodes.flatMap((node) => {
    if (node.status.state !== 'ready' || isAlive(node.id)) return []
    const status = {
      ...node.status,
      state: 'down' as const,
      sinceMs: nowMs,
      message: 'its lease ran out: nothing is heard of it',
    }
    return [{ ...node, status, updatedAtMs: nowMs }]
  })
}
