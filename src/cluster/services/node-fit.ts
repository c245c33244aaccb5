import type { NodeRecord, RevisionRecord, ServiceRecord } from '#cluster/model'
import { groupOf, nodeFit, schedulableOf } from '#cluster/scheduler'

/** Whether a task of a global service belongs on a node, by the scheduler's own word; room is another matter. Pure. */
export function wantsNode(service: ServiceRecord, revision: RevisionRecord): (node: NodeRecord) => boolean {
  const fits = nodeFit(groupOf(service, revision))
  return (node) => node.availability !== 'drain' && fits(schedulableOf(node, []))
}
