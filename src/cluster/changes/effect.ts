import { whyExclusive, templateHash } from '#cluster/services'
import type { ServiceSpec } from '#cluster/spec'

import type { Effect, Outage } from './operation.ts'
import type { ServiceSeen } from './sight.ts'
import type { WantedService } from './wanted.ts'

/** What the engine gives a container that says nothing of it. */
const PLAIN_GRACE_MS = 10_000
/** Nothing was seen, and nothing is said: as long as a new task has to run to be taken for good. */
const PLAIN_START_MS = 1500

const UNSEEN: ServiceSeen = { runningTasks: 0, desiredTasks: 0, startMs: null }

export interface ServiceChange {
  readonly before: WantedService | undefined
  readonly after: WantedService | undefined
  readonly seen: ServiceSeen | undefined
  /** Others of its application wait for it to end. */
  readonly isAwaited: boolean
}

/** What a change of a service means for its tasks; null: nothing. Pure. */
export function effectOf({ before, after, seen = UNSEEN, isAwaited }: ServiceChange): Effect | null {
  const running = seen.runningTasks
  const plain = { strategy: null, order: null, orderReason: null, outage: null, note: '' }
  if (after === undefined) return { ...plain, tasks: { before: running, replaced: 0, after: 0 }, outage: forGood(running) }
  const { spec, state } = after
  const wanted = spec.mode === 'global' ? Math.max(1, seen.desiredTasks) : spec.replicas
  const note = noteOf(after, running)
  if (before === undefined) return { ...plain, tasks: { before: 0, replaced: 0, after: wanted }, note }
  if (spec.job !== null) return note === '' ? null : { ...plain, tasks: { before: running, replaced: 0, after: running }, note }
  const isReplaced = hashOf(before) !== hashOf(after)
  const replaced = isReplaced ? Math.min(running, wanted) : 0
  const tasks = { before: running, replaced, after: wanted }
  if (wanted === 0 && running > 0) return { ...plain, tasks, outage: forGood(running), note }
  if (!isReplaced) return wanted === before.spec.replicas && note === '' ? null : { ...plain, tasks, note }
  const why = whyExclusive(spec, { replicas: spec.replicas, isAwaited })
  const settings = seen.isGoingBack === true ? { ...spec.rollback, strategy: 'rolling' as const } : spec.update
  const { order: asked, strategy } = settings
  const order = asked !== 'auto' ? asked : why === null ? 'start-first' : 'stop-first'
  const manner = why === null && spec.mode !== 'global' ? strategy : 'rolling'
  const outage =
    order === 'stop-first' && manner === 'rolling' && replaced > 0
      ? whileReplaced(spec, settings.parallelism, wanted, seen)
      : null
  const orderReason = asked === 'auto' && order === 'stop-first' ? why : null
  return { tasks, strategy: manner, order, orderReason, outage: state === 'paused' ? null : outage, note }
}

function noteOf({ state, imageId, spec }: WantedService, running: number): string {
  if (state === 'paused') return 'it is paused: nothing happens until it is resumed'
  if (imageId === null) return `the image ${spec.task.image} is not here yet${running > 0 ? ': what runs stays until it is' : ''}`
  return ''
}

function forGood(running: number): Outage | null {
  return running === 0 ? null : { tasks: running, of: running, aboutMs: null }
}

function whileReplaced(spec: ServiceSpec, parallelism: number, wanted: number, { startMs }: ServiceSeen): Outage {
  const batch = Math.max(1, parallelism === 0 ? wanted : Math.min(parallelism, wanted))
  const stopMs = spec.task.stopGracePeriodMs ?? PLAIN_GRACE_MS
  const upMs = startMs ?? spec.task.health?.startPeriodMs ?? PLAIN_START_MS
  return { tasks: batch, of: wanted, aboutMs: Math.ceil(wanted / batch) * (stopMs + upMs) }
}

/** Another one means other tasks. */
function hashOf({ spec, imageId, forced, networks, volumes, secretVersions }: WantedService): string {
  const parts = { networks: partsOf(networks), volumes: partsOf(volumes), versions: secretVersions }
  return templateHash(spec, parts, imageId, forced)
}

function partsOf(names: Readonly<Record<string, string>>): readonly { readonly key: string; readonly name: string }[] {
  return Object.entries(names).map(([key, name]) => ({ key, name }))
}
