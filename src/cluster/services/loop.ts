import { messageOf, type Clock, type Log, type Random } from '#base'
import { keyOf, prefixOf, type NodeRecord, type RevisionRecord } from '#cluster/model'
import type { ClusterStore } from '#cluster/store'

import { transactionOf } from './apply-plan.ts'
import { clusterPictures } from './cluster-picture.ts'
import { dirtyServices } from './dirty-services.ts'
import type { Mirror } from './mirror.ts'
import { planNodes } from './plan-nodes.ts'
import { planService } from './plan-service.ts'
import type { Wait } from './port.ts'
import { isMoving } from './rollout-progress.ts'
import type { ServicePlan } from './service-plan.ts'
import { targetOf, type ClusterState, type RolloutSample, type ServiceState } from './service-state.ts'
import { templateHash } from './template-hash.ts'

export interface ServiceLoopPorts {
  readonly store: ClusterStore
  /** Follows nodes, services, revisions, tasks, runs and turns. */
  readonly mirror: Mirror
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: RouteMetrics
  readonly images: ImageLookup
  /** As in `ClusterState`. */
  readonly keptTasksPerSlot?: () => number | undefined
}

/** What the router saw of two revisions of a service. */
export interface RouteMetrics {
  /** Of the requests since then; undefined: nothing is known. `percentile` from 0 to 1. */
  compare(wanted: {
    readonly serviceId: string
    readonly oldRevision: number | null
    readonly newRevision: number
    readonly sinceMs: number
    readonly percentile: number
  }): Promise<RolloutSample | undefined>
}

export interface ImageLookup {
  /** Content id of a reference; undefined: it is not here (yet). */
  resolve(reference: string): Promise<string | undefined>
  /** Has a node fetch it, unless one does already; the loop is triggered when that is over. Absent: nodes fetch nothing. */
  fetch?(reference: string): void
  /** Why it could not be fetched; undefined: it could, or it was not tried. */
  failure?(reference: string): string | undefined
}

export interface ServiceLoop extends AsyncDisposable {
  /** Something outside the store may have changed: an image came, time passed. */
  trigger(): void
  /** Why services are not as wanted, from the last plans. */
  waits(serviceId: string): readonly Wait[]
  /** The record of the service that the last plan was made from, and whether there was nothing to do. */
  lastPlan(serviceId: string): { readonly revision: number; readonly isQuiet: boolean } | undefined
  /** Called after each round. */
  listen(listener: () => void): Disposable
}

/** Changes of the store drive the loop; this catches what comes from outside, such as images. */
const SLOW_ROUND_MS = 15_000
const BROKEN_ROUND_MS = 1000
/** Somebody else wrote between the picture and the plan: the picture follows in a moment. */
const CONFLICT_MS = 20

export function startServiceLoop(ports: ServiceLoopPorts): ServiceLoop {
  const { store, mirror, clock, random, log } = ports
  const picture = clusterPictures(mirror)
  const dirty = dirtyServices(mirror)
  const plans = new Map<string, ServicePlan & { readonly revision: number }>()
  const written = new Map<string, number>()
  const listeners = new Set<() => void>()
  let isDirty = false
  let isClosed = false
  let running: Promise<void> | undefined
  let timer: Disposable | undefined

  const trigger = (): void => {
    isDirty = true
    if (isClosed || running !== undefined) return
    running = rounds().finally(() => {
      running = undefined
      if (isDirty) trigger()
    })
  }
  function lookAtAll(): void {
    dirty.all()
    trigger()
  }
  async function rounds(): Promise<void> {
    await mirror.opened
    while (isDirty && !isClosed) {
      isDirty = false
      timer?.[Symbol.dispose]()
      let lookAgainMs = BROKEN_ROUND_MS
      try {
        lookAgainMs = await oneRound()
      } catch (error) {
        dirty.all()
        log.error('the services could not be planned', { error: messageOf(error) })
      }
      for (const listener of listeners) listener()
      if (!isClosed) timer = clock.after(lookAgainMs, lookAgainMs === SLOW_ROUND_MS ? lookAtAll : trigger)
    }
  }

  /** Gives back when to look again. */
  async function oneRound(): Promise<number> {
    await sayDown()
    await pinImages()
    const metrics = await sampleCanaries()
    // From here to the writes nothing waits: plans and their conditions are of one picture.
    const cluster = { ...picture(clock.nowMs(), metrics), imageFailures: imageFailures(), ...keptTasks() }
    const work: Promise<boolean>[] = []
    const changed = dirty.take()
    for (const id of plans.keys()) if (!cluster.services.has(id)) forget(id)
    for (const state of cluster.services.values()) {
      const { id } = state.service
      const isDue = (plans.get(id)?.wakeAtMs ?? 0) <= cluster.nowMs
      if (changed?.has(id) === false && !isDue && !metrics.has(id)) continue
      // What it wrote comes back as a change.
      if ((written.get(id) ?? 0) > mirror.revision()) continue
      const plan = planService(state, cluster)
      plans.set(state.service.id, { ...plan, revision: mirror.revisionOf(keyOf('service', state.service.id)) })
      if (plan.steps.length > 0) work.push(carryOut(state, cluster, plan))
    }
    const isConflict = (await Promise.all(work)).includes(false)
    const wakeAtMs = Math.min(...[...plans.values()].map((plan) => plan.wakeAtMs))
    const soonest = Math.max(1, Math.min(SLOW_ROUND_MS, wakeAtMs - clock.nowMs()))
    return isConflict ? Math.min(CONFLICT_MS, soonest) : soonest
  }

  function forget(id: string): void {
    plans.delete(id)
    written.delete(id)
  }

  /** False: something changed meanwhile. */
  async function carryOut(state: ServiceState, cluster: ClusterState, plan: ServicePlan): Promise<boolean> {
    const { id, name } = state.service
    const revision = await store.write(transactionOf(state, cluster, plan, { revisions: mirror, random }))
    if (revision === null) {
      dirty.add(id)
      return false
    }
    written.set(id, revision)
    for (const step of plan.steps) log.debug(step.type, { service: name, reason: step.reason })
    return true
  }

  /** A revision whose image was not there when it was made gets it as soon as it comes. */
  async function pinImages(): Promise<void> {
    for (const state of picture(clock.nowMs()).services.values()) {
      const target = targetOf(state)
      if (target?.imageId !== null || target === undefined || state.service.state === 'removing') continue
      const imageId = await ports.images.resolve(target.spec.task.image)
      if (imageId !== undefined) await pin(target, imageId)
      else if (target.parts.pulls === true) ports.images.fetch?.(target.spec.task.image)
    }
  }

  function imageFailures(): ReadonlyMap<string, string> {
    const wanted = mirror.range<RevisionRecord>(prefixOf('revision')).flatMap(({ value: { imageId, parts, spec } }) => {
      const failure = imageId === null && parts.pulls === true ? ports.images.failure?.(spec.task.image) : undefined
      return failure === undefined ? [] : [[spec.task.image, failure] as const]
    })
    return new Map(wanted)
  }

  function keptTasks(): { readonly keptTasksPerSlot?: number } {
    const keptTasksPerSlot = ports.keptTasksPerSlot?.()
    return keptTasksPerSlot === undefined ? {} : { keptTasksPerSlot }
  }

  async function sayDown(): Promise<void> {
    const nodes = mirror.range<NodeRecord>(prefixOf('node')).map(({ value }) => value)
    const isAlive = (id: string) => mirror.revisionOf(keyOf('alive', id)) !== 0
    for (const value of planNodes(nodes, isAlive, clock.nowMs())) {
      const key = keyOf('node', value.id)
      const conditions = [
        { key, revision: mirror.revisionOf(key) },
        { key: keyOf('alive', value.id), revision: 0 },
      ]
      await store.write({ conditions, puts: [{ key, value }] })
    }
  }

  async function pin(revision: RevisionRecord, imageId: string): Promise<void> {
    const key = keyOf('revision', revision.serviceId, revision.number)
    const pinned = { ...revision, imageId, templateHash: templateHash(revision.spec, revision.parts, imageId, revision.forced) }
    await store.write({ conditions: [{ key, revision: mirror.revisionOf(key) }], puts: [{ key, value: pinned }] })
  }

  async function sampleCanaries(): Promise<ReadonlyMap<string, RolloutSample>> {
    const samples = new Map<string, RolloutSample>()
    for (const state of picture(clock.nowMs()).services.values()) {
      const { rollout, id } = state.service
      const canary = targetOf(state)?.spec.update.canary ?? null
      if (!isMoving(rollout) || canary === null) continue
      const sample = await ports.metrics.compare({
        serviceId: id,
        oldRevision: rollout.from,
        newRevision: rollout.to,
        sinceMs: rollout.stepStartedAtMs,
        percentile: canary.latencyPercentile,
      })
      if (sample !== undefined) samples.set(id, sample)
    }
    return samples
  }

  const following = mirror.listen(trigger)
  trigger()
  return {
    trigger: lookAtAll,
    waits: (serviceId) => plans.get(serviceId)?.waits ?? [],
    lastPlan: (serviceId) => {
      const plan = plans.get(serviceId)
      return plan === undefined ? undefined : { revision: plan.revision, isQuiet: plan.steps.length === 0 }
    },
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      following[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      await running
    },
  }
}
