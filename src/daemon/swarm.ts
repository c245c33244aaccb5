import { isIPv6 } from 'node:net'

import { isKind, newId, type Clock, type Random } from '#base'
import type { DockerSwarm, SwarmRecord } from '#api/docker'
import type { SecretKind, Secrets } from '#cluster/secrets'
import type { Subnet } from '#engine/network'

import type { Actors } from './actors.ts'
import type { Cluster } from './cluster.ts'
import type { Engine } from './engine.ts'
import { forgetSwarm, saveSwarm, swarmOf } from './swarm-record.ts'

export interface SwarmNeeds {
  readonly engine: Pick<Engine, 'store' | 'networks'>
  readonly cluster: Cluster
  readonly secrets: Secrets
  readonly clock: Clock
  readonly random: Random
  readonly actors: Actors
}

/** As long as those that Docker gives out. */
const ID_LENGTH = 25
const TOKEN_LENGTH = 50
/** Longer than tasks of most services take to end. */
const LEAVE_MS = 60_000
const LOOK_EVERY_MS = 50

/** This machine as a swarm of one: whether it is one is written down, all else is what the cluster has anyway. */
export function openSwarm({ engine, cluster, secrets, clock, random, actors }: SwarmNeeds): DockerSwarm {
  const made = engine.store.table<{ readonly kind: SecretKind }>('swarm-secrets')
  const newToken = () => `SWMTKN-1-${newId<string>(random).slice(0, TOKEN_LENGTH)}-${newId<string>(random).slice(0, ID_LENGTH)}`
  let now = swarmOf(engine.store) ?? null
  const put = (record: SwarmRecord): SwarmRecord => {
    saveSwarm(engine.store, record)
    now = record
    return record
  }
  /** Secrets stay as long as a service that mounts them; one that does not end in time keeps its own. */
  const gone = async (): Promise<void> => {
    const endMs = clock.monotonicMs() + LEAVE_MS
    const isLeft = async () => (await cluster.services.list()).some(({ revision }) => revision.parts.said !== undefined)
    while ((await isLeft()) && clock.monotonicMs() < endMs) await clock.sleep(LOOK_EVERY_MS)
  }

  return {
    services: cluster.services,
    actorOf: (request) => actors.actorOf(request, 'swarm'),
    secrets,
    nodeId: cluster.nodeId,
    current: () => now,
    init: ({ address, labels, keptTasksPerSlot }) => {
      const atMs = clock.nowMs()
      const [workerToken, managerToken] = [newToken(), newToken()]
      const id = newId<string>(random).slice(0, ID_LENGTH)
      return put({
        id,
        version: 1,
        createdAtMs: atMs,
        updatedAtMs: atMs,
        labels,
        keptTasksPerSlot,
        address,
        workerToken,
        managerToken,
      })
    },
    update: ({ labels, keptTasksPerSlot, hasNewWorkerToken, hasNewManagerToken }) => {
      const before = swarmOf(engine.store)
      if (before === undefined) throw new Error('in no swarm')
      return put({
        ...before,
        version: before.version + 1,
        updatedAtMs: clock.nowMs(),
        labels,
        keptTasksPerSlot,
        ...(hasNewWorkerToken ? { workerToken: newToken() } : {}),
        ...(hasNewManagerToken ? { managerToken: newToken() } : {}),
      })
    },
    leave: async () => {
      for (const { record, revision } of await cluster.services.list())
        if (revision.parts.said !== undefined) await cluster.services.remove(record.id).catch(ignoreAbsent)
      await gone()
      for (const [id, { kind }] of made.entries()) {
        await secrets.remove(kind, id).catch((error: unknown) => {
          // Somebody else's service mounts it by now: it stays with whom it serves.
          if (!isKind(error, 'conflict')) ignoreAbsent(error)
        })
        made.delete(id)
      }
      await cluster.services.updateNode(cluster.nodeId, { labels: {}, availability: 'active' })
      forgetSwarm(engine.store)
      now = null
    },
    virtualIps: () =>
      cluster.discovery.addresses().flatMap(({ id, network, networkId, virtual }) => {
        const subnets = engine.networks.find(network)?.subnets ?? []
        return id === undefined
          ? []
          : virtual.map((address) => ({ serviceId: id, networkId, address: withPrefix(address, subnets) }))
      }),
    freePort: async () => await cluster.router.freePort(''),
    provideImage: (ref, credentials) => cluster.pulls.begin(ref, credentials),
    noteSecret: (kind, id) => made.put(id, { kind }),
  }
}

function withPrefix(address: string, subnets: readonly Subnet[]): string {
  const { subnet } = subnets.find(({ family }) => family === (isIPv6(address) ? 6 : 4)) ?? {}
  return subnet === undefined ? address : `${address}${subnet.slice(subnet.indexOf('/'))}`
}

function ignoreAbsent(error: unknown): void {
  if (!isKind(error, 'not_found')) throw error
}
