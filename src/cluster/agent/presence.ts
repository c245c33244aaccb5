import { isKind, messageOf, type Clock, type Log } from '#base'
import { keyOf, type NodeDescription, type NodeRecord } from '#cluster/model'
import type { ClusterStore } from '#cluster/store'

export interface NodePresencePorts {
  readonly nodeId: string
  readonly role: NodeRecord['role']
  /** What the node says of itself, as it is now. */
  readonly describe: () => Promise<NodeDescription>
  /** Where others reach it. */
  readonly address: string
  readonly store: ClusterStore
  readonly clock: Clock
  readonly log: Log
}

export interface NodePresence extends AsyncDisposable {
  /** Resolves when the node's record says `ready` for the first time. */
  readonly ready: Promise<void>
}

/** A node that says nothing for so long is down. */
const LEASE_MS = 10_000
/** Three beats may be lost. */
const BEAT_MS = 2500
const RETRY_MS = 500

/** Keeps the node's record, and a key with a lease that shows that it lives. */
export function keepNodeAlive(ports: NodePresencePorts): NodePresence {
  const { nodeId, store, clock, log } = ports
  const ending = new AbortController()
  const ready = Promise.withResolvers<void>()
  let lease: string | undefined

  async function beat(): Promise<void> {
    if (lease === undefined) {
      lease = await store.grantLease(LEASE_MS)
      await store.write({ puts: [{ key: keyOf('alive', nodeId), value: { lease }, lease }] })
    } else {
      try {
        await store.renewLease(lease)
      } catch (error) {
        lease = undefined
        if (!isKind(error, 'not_found')) throw error
        return await beat()
      }
    }
    await sayReady(ports)
    ready.resolve()
  }
  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      let waitMs = BEAT_MS
      try {
        await beat()
      } catch (error) {
        lease = undefined
        waitMs = RETRY_MS
        log.warn('the node could not say that it lives', { error: messageOf(error) })
      }
      await clock.sleep(waitMs, ending.signal).catch(() => undefined)
    }
  }
  const running = run()
  return {
    ready: ready.promise,
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await running
    },
  }
}

/** Writes only what is not so already. */
async function sayReady({ nodeId, role, describe, address, store, clock }: NodePresencePorts): Promise<void> {
  const description = await describe()
  const key = keyOf('node', nodeId)
  const entry = await store.get<NodeRecord>(key)
  const nowMs = clock.nowMs()
  const before = entry?.value
  const isSame =
    before?.status.state === 'ready' &&
    before.status.address === address &&
    JSON.stringify(before.description) === JSON.stringify(description)
  if (isSame) return
  const status = { state: 'ready' as const, sinceMs: nowMs, message: '', address }
  const made = { id: nodeId, labels: {}, role, availability: 'active' as const, createdAtMs: nowMs }
  const value: NodeRecord = { ...(before ?? made), description, status, updatedAtMs: nowMs }
  await store.write({ conditions: [{ key, revision: entry?.revision ?? 0 }], puts: [{ key, value }] })
}
