import { statSync } from 'node:fs'
import { freemem } from 'node:os'

import type { WhyPort } from '#api/glovebox'
import { messageOf, type Clock, type Log } from '#base'
import type { ClusterStore } from '#cluster/store'
import type { Host } from '#host'
import { imageName, whyReport, type HostSight, type WhyFacts } from '#operate/why'

import type { Cluster } from '../cluster.ts'
import type { Engine } from '../engine.ts'
import { clusterFacts } from './cluster-facts.ts'
import { containerFacts } from './container-facts.ts'
import { refusedConnections, routeFacts, slowEndFacts, unknownNames } from './traffic-facts.ts'

export interface WhyNeeds {
  readonly root: string
  readonly clock: Clock
  readonly log: Log
  readonly host: Host
  readonly engine: Pick<Engine, 'containers' | 'networks' | 'images' | 'witness'>
  readonly cluster: Pick<Cluster, 'services' | 'nodeId' | 'router' | 'policy' | 'discovery'>
  readonly records: { readonly store: ClusterStore }
}

/** Why things are not as wanted, as of the moment of asking. */
export function whyPort(needs: WhyNeeds): WhyPort {
  return { why: async (name) => whyReport(await gatherFacts(needs), name) }
}

async function gatherFacts(needs: WhyNeeds): Promise<WhyFacts> {
  const { engine, cluster, clock } = needs
  const { witness } = engine
  const { services, tasks, nodes } = await clusterFacts({ services: cluster.services, store: needs.records.store })
  const ready = new Set(tasks.flatMap(({ id, isReady }) => (isReady ? [id] : [])))
  const [containers, routes, refused] = await Promise.all([
    containerFacts({ containers: engine.containers, memory: witness.memory, clock }, (id) => ready.has(id)),
    // What the router or the kernel does not tell must not hide the rest.
    orNone(needs, 'routes', routeFacts(cluster.router, services)),
    orNone(needs, 'refused connections', refusedConnections(cluster.policy)),
  ])
  return {
    nowMs: clock.nowMs(),
    ...{ services, tasks, nodes, containers, routes, refused },
    images: engine.images.list().map(({ id, tags }) => ({ id, names: tags.map(imageName) })),
    pulls: witness.pulls.list(),
    names: unknownNames({ names: witness.names, networks: engine.networks, discovery: cluster.discovery }),
    pools: engine.networks.poolUse(),
    slowEnds: slowEndFacts(witness.ends, services),
    host: hostSight(needs),
  }
}

async function orNone<T>({ log }: WhyNeeds, what: string, looked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await looked
  } catch (error) {
    log.warn('asked why, and could not look at all', { what, error: messageOf(error) })
    return []
  }
}

function hostSight({ host, root, cluster }: WhyNeeds): HostSight {
  const { availableBytes, totalBytes } = host.files.space(root)
  return {
    nodeId: cluster.nodeId,
    disks: [{ path: root, what: 'images, containers and volumes', availableBytes, totalBytes }],
    memoryBytes: host.kernel.facts().memoryBytes,
    availableMemoryBytes: freemem(),
    knownPastMs: statSync(process.execPath, { throwIfNoEntry: false })?.mtimeMs ?? null,
  }
}
