import { isKind, messageOf, type Clock, type Log } from '#base'
import { keyOf, prefixOf, type RevisionRecord, type ServiceRecord } from '#cluster/model'
import type { Secrets } from '#cluster/secrets'
import type { Mirror, Services } from '#cluster/services'
import type { ClusterStore } from '#cluster/store'

import { planRotation } from './plan.ts'

export interface RotationPorts {
  readonly store: ClusterStore
  /** Follows services and revisions. */
  readonly mirror: Mirror
  readonly services: Pick<Services, 'update'>
  readonly secrets: Pick<Secrets, 'versions'>
  readonly clock: Clock
  readonly log: Log
}

/** Several that are rotated one after the other make one revision. */
const GATHER_MS = 250
/** Somebody else was quicker: the picture follows in a moment. */
const RETRY_MS = 1000
/** The store does not answer, or a service cannot be rolled as it is. */
const BROKEN_MS = 30_000
const FOLLOWED = ['secret', 'config'] as const
const KINDS: readonly string[] = ['service', 'revision']

/** Follows the secrets and configs, and rolls the services whose tasks have older values than there are. */
export function startRotation(ports: RotationPorts): AsyncDisposable {
  const { store, mirror, clock, log } = ports
  const closing = new AbortController()
  const { signal } = closing
  let isDirty = false
  let running: Promise<void> | undefined
  let retry: Disposable | undefined
  const listening = mirror.listen(({ changes }) => {
    if (changes.length === 0 || changes.some(({ key }) => KINDS.includes(key.slice(0, key.indexOf('/'))))) trigger()
  })
  const following = FOLLOWED.map(async (kind) => await follow(prefixOf(kind)))
  trigger()

  function trigger(): void {
    isDirty = true
    if (running !== undefined || signal.aborted) return
    running = rounds().finally(() => {
      running = undefined
      if (isDirty && !signal.aborted) trigger()
    })
  }

  async function rounds(): Promise<void> {
    await mirror.opened
    while (isDirty && !signal.aborted) {
      await rest(GATHER_MS)
      if (signal.aborted) return
      isDirty = false
      const againMs = await lookAtAll()
      if (againMs === null) continue
      retry?.[Symbol.dispose]()
      if (!signal.aborted) retry = clock.after(againMs, trigger)
    }
  }

  /** When what could not be done is to be tried again; null: there is nothing of it. */
  async function lookAtAll(): Promise<number | null> {
    const revisions = Map.groupBy(
      mirror.range<RevisionRecord>(prefixOf('revision')).map(({ value }) => value),
      ({ serviceId }) => serviceId,
    )
    let againMs = Infinity
    for (const { value: service, revision } of mirror.range<ServiceRecord>(prefixOf('service'))) {
      try {
        if (!(await lookAt(service, revision, revisions.get(service.id) ?? []))) againMs = Math.min(againMs, RETRY_MS)
      } catch (error) {
        if (signal.aborted) return null
        // One that cannot be rolled does not hold up the others.
        againMs = Math.min(againMs, isKind(error, 'conflict') ? RETRY_MS : BROKEN_MS)
        if (!isKind(error, 'conflict'))
          log.warn('a service could not be given the newest secrets', { service: service.name, error: messageOf(error) })
      }
    }
    return againMs === Infinity ? null : againMs
  }

  /** False: somebody else was quicker. */
  async function lookAt(service: ServiceRecord, at: number, revisions: readonly RevisionRecord[]): Promise<boolean> {
    const wanted = revisions.find(({ number }) => number === service.revision)
    if (wanted === undefined || wanted.spec.secrets.length + wanted.spec.configs.length === 0) return true
    const versions = await ports.secrets.versions(wanted.spec, wanted.parts)
    const step = planRotation({ service, revisions, versions })
    if (step === null) return true
    if (step.type === 'roll') {
      await ports.services.update(service.id, step.wish, at)
      log.info('a service is given new values', { service: service.name, changed: step.changed.join(', ') })
      return true
    }
    const key = keyOf('revision', service.id, wanted.number)
    const conditions = [{ key, revision: mirror.revisionOf(key) }]
    return (await store.write({ conditions, puts: [{ key, value: step.revision }] })) !== null
  }

  async function follow(prefix: string): Promise<void> {
    while (!signal.aborted) {
      try {
        const { revision } = await store.range(prefix)
        trigger()
        for await (const _batch of store.watch(prefix, revision, signal)) trigger()
      } catch (error) {
        if (signal.aborted) return
        if (!isKind(error, 'conflict')) log.warn('secrets could not be followed', { error: messageOf(error) })
        await rest(RETRY_MS)
      }
    }
  }

  async function rest(ms: number): Promise<void> {
    await clock.sleep(ms, signal).catch(() => undefined)
  }

  return {
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      listening[Symbol.dispose]()
      retry?.[Symbol.dispose]()
      await running
      await Promise.all(following)
    },
  }
}
