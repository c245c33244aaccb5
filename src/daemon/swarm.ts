import { messageOf, newId, type Clock, type Log, type Random } from '#base'
import type { DockerSwarm, SwarmRecord } from '#api/docker'
import type { SecretKind, Secrets } from '#cluster/secrets'
import { isKind } from '#base'

import type { Cluster } from './cluster.ts'
import type { Engine } from './engine.ts'

export interface SwarmNeeds {
  readonly engine: Pick<Engine, 'store' | 'registries'>
  readonly cluster: Cluster
  readonly secrets: Secrets
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
}

/** As long as those that Docker gives out. */
const ID_LENGTH = 25
const TOKEN_LENGTH = 50
const OWN = 'own'
/** Longer than tasks of most services take to end. */
const LEAVE_MS = 60_000
const LOOK_EVERY_MS = 50

/** This machine as a swarm of one: whether it is one is written down, all else is what the cluster has anyway. */
export function openSwarm({ engine, cluster, secrets, clock, log, random }: SwarmNeeds): DockerSwarm {
  const table = engine.store.table<SwarmRecord>('swarm')
  const made = engine.store.table<{ readonly kind: SecretKind }>('swarm-secrets')
  const newToken = () => `SWMTKN-1-${newId<string>(random).slice(0, TOKEN_LENGTH)}-${newId<string>(random).slice(0, ID_LENGTH)}`
  let now = table.get(OWN) ?? null
  const put = (record: SwarmRecord): SwarmRecord => {
    table.put(OWN, record)
    now = record
    return record
  }
  const pulls = new Set<string>()
  const pull = async (ref: string, credentials: Parameters<DockerSwarm['provideImage']>[1]): Promise<void> => {
    const signal = new AbortController().signal
    try {
      for await (const _step of engine.registries.pull({ ref, platform: null, credentials, signal }));
    } catch (error) {
      log.warn('the image of a service was not pulled', { image: ref, error: messageOf(error) })
    } finally {
      pulls.delete(ref)
    }
  }

  /** Secrets stay as long as a service that mounts them; one that does not end in time keeps its own. */
  const gone = async (): Promise<void> => {
    const endMs = clock.monotonicMs() + LEAVE_MS
    const isLeft = async () => (await cluster.services.list()).some(({ revision }) => revision.parts.said !== undefined)
    while ((await isLeft()) && clock.monotonicMs() < endMs) await clock.sleep(LOOK_EVERY_MS)
  }

  return {
    services: cluster.services,
    secrets,
    nodeId: cluster.nodeId,
    current: () => now,
    init: ({ address, labels }) => {
      const atMs = clock.nowMs()
      const [workerToken, managerToken] = [newToken(), newToken()]
      const id = newId<string>(random).slice(0, ID_LENGTH)
      return put({ id, version: 1, createdAtMs: atMs, updatedAtMs: atMs, labels, address, workerToken, managerToken })
    },
    update: ({ labels, hasNewWorkerToken, hasNewManagerToken }) => {
      const before = table.get(OWN)
      if (before === undefined) throw new Error('in no swarm')
      return put({
        ...before,
        version: before.version + 1,
        updatedAtMs: clock.nowMs(),
        labels,
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
      table.delete(OWN)
      now = null
    },
    freePort: async () => await cluster.router.freePort(''),
    provideImage: (ref, credentials) => {
      if (pulls.has(ref)) return
      pulls.add(ref)
      void pull(ref, credentials)
    },
    noteSecret: (kind, id) => made.put(id, { kind }),
  }
}

function ignoreAbsent(error: unknown): void {
  if (!isKind(error, 'not_found')) throw error
}
