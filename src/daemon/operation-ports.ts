import { restated } from '#api/docker'
import type { GloveboxApiPorts } from '#api/glovebox'
import { openHistory } from '#cluster/history'
import { openNodes, openOperations } from '#cluster/operations'

import type { GloveboxNeeds } from './glovebox-needs.ts'

/** What people do with services and nodes. */
export function operationPorts({
  cluster,
  records,
  engine,
  clock,
}: Pick<GloveboxNeeds, 'cluster' | 'records' | 'engine' | 'clock'>): Pick<GloveboxApiPorts, 'operations' | 'nodes'> {
  const { services, scheduling, listen } = cluster
  return {
    operations: openOperations({
      services,
      history: openHistory(records.store),
      clock,
      listen,
      resolveImage: async (reference) => await Promise.resolve(engine.images.find(reference)?.id),
      restated,
    }),
    nodes: openNodes({ services, scheduling }),
  }
}
