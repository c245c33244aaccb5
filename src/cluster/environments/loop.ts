import { isKind, messageOf, type Clock, type Log } from '#base'
import { keyOf, prefixOf, type EnvironmentRecord } from '#cluster/model'
import { removeStackSecrets, type Secrets } from '#cluster/secrets'
import type { Stacks } from '#cluster/stacks'
import type { ClusterStore, Entry } from '#cluster/store'

import { planEnvironments, type EnvironmentStep } from './plan.ts'

/** What happens to an environment, as others are told. */
export type EnvironmentAction = 'create' | 'update' | 'announce' | 'expire' | 'remove'

export interface EnvironmentLoopPorts {
  readonly store: ClusterStore
  readonly stacks: Pick<Stacks, 'remove'>
  readonly secrets: Pick<Secrets, 'list' | 'usersOf' | 'remove'>
  readonly clock: Clock
  readonly log: Log
  readonly tell: (action: EnvironmentAction, record: EnvironmentRecord) => void
}

/** A clock that is set, or a machine that slept, is noticed after so long. */
const LOOK_AGAIN_MS = 60_000
/** The store, or the removal of a stack, failed. */
const BROKEN_ROUND_MS = 5000

/** Ends environments whose time is over, and removes those that are to go: each once, whoever died in between. */
export function startEnvironmentLoop(ports: EnvironmentLoopPorts): AsyncDisposable {
  const { store, stacks, secrets, clock, log, tell } = ports
  const closing = new AbortController()
  const removals = new Map<string, Promise<void>>()
  const prefix = prefixOf('environment')
  const following = follow()

  async function follow(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await settle()
      } catch (error) {
        if (closing.signal.aborted) return
        log.error('environments could not be looked at', { error: messageOf(error) })
        await rest(BROKEN_ROUND_MS)
      }
    }
  }

  /** One look, what is to be done, and a wait for the next change or time. */
  async function settle(): Promise<void> {
    const { revision, entries } = await store.range<EnvironmentRecord>(prefix)
    const nowMs = clock.nowMs()
    const plan = planEnvironments(
      entries.map(({ value }) => value),
      nowMs,
    )
    for (const step of plan.steps) await perform(step, entries)
    await nextChange(revision, Math.min(LOOK_AGAIN_MS, Math.max(1, (plan.nextMs ?? Infinity) - nowMs)))
  }

  async function perform(step: EnvironmentStep, entries: readonly Entry<EnvironmentRecord>[]): Promise<void> {
    const { record } = step
    const entry = entries.find(({ value }) => value.stack === record.stack)
    if (entry === undefined) return
    if (step.type === 'remove') {
      if (!removals.has(record.stack))
        removals.set(
          record.stack,
          remove(entry).finally(() => removals.delete(record.stack)),
        )
      return
    }
    const conditions = [{ key: entry.key, revision: entry.revision }]
    // Somebody put the end off meanwhile: the next look sees it.
    if ((await store.write({ conditions, puts: [{ key: entry.key, value: record }] })) === null) return
    const fields = { environment: record.name, application: record.application, stack: record.stack }
    if (step.type === 'announce') {
      log.warn('an environment ends soon', { ...fields, at: new Date(record.expiresAtMs ?? 0).toISOString() })
      tell('announce', record)
    } else {
      log.info('the time of an environment is over', fields)
      tell('expire', record)
    }
  }

  async function remove({ key, value: record, revision }: Entry<EnvironmentRecord>): Promise<void> {
    const { stack, reason } = record
    try {
      await stacks.remove(stack, { volumes: true, signal: closing.signal }).catch((error: unknown) => {
        if (!isKind(error, 'not_found')) throw error
      })
      await removeStackSecrets(secrets, stack)
      if ((await store.write({ conditions: [{ key, revision }], deletes: [key] })) === null) return
      log.info('an environment is removed', { environment: record.name, application: record.application, stack, reason })
      tell('remove', record)
    } catch (error) {
      if (closing.signal.aborted) return
      log.error('an environment could not be removed; it is tried again', { stack, error: messageOf(error) })
      await rest(BROKEN_ROUND_MS)
      // A change that says nothing new: the loop looks again.
      await store
        .write({ conditions: [{ key, revision }], puts: [{ key, value: { ...record, updatedAtMs: clock.nowMs() } }] })
        .catch(() => null)
    }
  }

  async function nextChange(revision: number, atMostMs: number): Promise<void> {
    const ending = new AbortController()
    using _timer = clock.after(atMostMs, () => ending.abort())
    const signal = AbortSignal.any([ending.signal, closing.signal])
    for await (const _batch of store.watch(prefix, revision, signal)) return
  }

  async function rest(ms: number): Promise<void> {
    await clock.sleep(ms, closing.signal).catch(() => undefined)
  }

  return {
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      await following
      await Promise.all(removals.values())
    },
  }
}

export function environmentKey(stack: string): string {
  return keyOf('environment', stack)
}
