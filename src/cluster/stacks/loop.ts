import { backoffMs, messageOf, unreachable, type BackoffPolicy, type Clock, type Log, type Random } from '#base'
import type { NodePort } from '#cluster/agent'
import { historyPuts } from '#cluster/history'
import {
  ITSELF,
  keyOf,
  prefixOf,
  type RevisionRecord,
  type ServiceRecord,
  type StackRecord,
  type TaskRecord,
} from '#cluster/model'
import { createdEvent, createdService, isLive, newTaskId, type Mirror } from '#cluster/services'
import type { ClusterStore } from '#cluster/store'

import { removed } from './plan-apply.ts'
import { planStacks, type StackSnapshot, type StackStep } from './plan.ts'
import { wishOf, type SecretVersions } from './wishes.ts'

export interface StackLoopPorts {
  readonly store: ClusterStore
  readonly mirror: Mirror
  readonly node: Pick<NodePort, 'listNetworks' | 'listVolumes' | 'removeNetwork' | 'removeVolume' | 'events'>
  readonly secrets: SecretVersions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface StackLoop extends AsyncDisposable {
  /** What failed before may work now. */
  forgive(stack: string): void
  /** Why a stack is not as wanted as a whole. */
  trouble(stack: string): StackTrouble | undefined
  /** Names of networks and volumes that the node has; null: nobody has looked yet. */
  parts(): { readonly networks: ReadonlySet<string>; readonly volumes: ReadonlySet<string> } | null
  /** Called after each round. */
  listen(listener: () => void): Disposable
}

export interface StackTrouble {
  readonly reason: string
  readonly isHopeless: boolean
}

const SLOW_ROUND_MS = 15_000
const BROKEN_ROUND_MS = 1000
const STEP_BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 30_000 }
/** A step that failed this often in a row will hardly succeed by itself. */
const HOPELESS_FAILURES = 3

interface Failure extends StackTrouble {
  readonly failures: number
  readonly nextAtMs: number
  readonly stack: string
}

export function startStackLoop(ports: StackLoopPorts): StackLoop {
  const { mirror, node, clock, log } = ports
  const failures = new Map<string, Failure>()
  const listeners = new Set<() => void>()
  let seen: ReturnType<StackLoop['parts']> = null
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
  async function rounds(): Promise<void> {
    await mirror.opened
    while (isDirty && !isClosed) {
      isDirty = false
      timer?.[Symbol.dispose]()
      let lookAgainMs = BROKEN_ROUND_MS
      try {
        lookAgainMs = await oneRound()
      } catch (error) {
        log.error('the applications could not be looked at', { error: messageOf(error) })
      }
      for (const listener of listeners) listener()
      if (!isClosed) timer = clock.after(lookAgainMs, trigger)
    }
  }

  /** Gives back when to look again. */
  async function oneRound(): Promise<number> {
    const snapshot = await takeSnapshot()
    seen = { networks: new Set(snapshot.networks), volumes: new Set(snapshot.volumes) }
    const steps = planStacks(snapshot)
    const subjects = new Set(steps.map(subjectOf))
    for (const subject of failures.keys()) if (!subjects.has(subject)) failures.delete(subject)
    let soonest = SLOW_ROUND_MS
    for (const step of steps) {
      const failure = failures.get(subjectOf(step))
      if (failure !== undefined && failure.nextAtMs > clock.nowMs()) soonest = Math.min(soonest, failure.nextAtMs - clock.nowMs())
      else if (!isClosed) await attempt(step)
    }
    return Math.max(1, soonest)
  }

  async function takeSnapshot(): Promise<StackSnapshot> {
    const [networks, volumes] = await Promise.all([node.listNetworks(), node.listVolumes()])
    const values = <T>(kind: 'stack' | 'service' | 'task') => mirror.range<T>(prefixOf(kind)).map(({ value }) => value)
    const stacks = values<StackRecord>('stack')
    const isAnyFormer = stacks.some(({ former }) => former.networks.length > 0)
    return {
      stacks,
      services: values<ServiceRecord>('service'),
      networks,
      volumes,
      usedNetworks: new Set(isAnyFormer ? values<TaskRecord>('task').filter(isLive).flatMap(networksOf) : []),
    }
  }

  function networksOf({ serviceId, revision }: TaskRecord): readonly string[] {
    const parts = mirror.get<RevisionRecord>(keyOf('revision', serviceId, revision))?.value.parts
    return parts?.networks.map(({ name }) => name) ?? []
  }

  async function attempt(step: StackStep): Promise<void> {
    const subject = subjectOf(step)
    const stack = step.stack.spec.name
    try {
      await perform(step, ports)
      failures.delete(subject)
      isDirty ||= step.type === 'remove-network' || step.type === 'remove-volume'
    } catch (error) {
      const times = (failures.get(subject)?.failures ?? 0) + 1
      const reason = `${subject}: ${messageOf(error)}`
      const nextAtMs = clock.nowMs() + backoffMs(STEP_BACKOFF, times)
      // A network that somebody else still uses is no trouble as long as the stack runs.
      const isHopeless = times >= HOPELESS_FAILURES && step.stack.state === 'removing'
      failures.set(subject, { failures: times, nextAtMs, reason, isHopeless, stack })
      log.warn('a step of an application failed', { stack, step: step.type, error: reason })
      isDirty = true
    }
  }

  const following = mirror.listen(trigger)
  const events = node.events(trigger)
  trigger()
  return {
    forgive: (stack) => {
      for (const [subject, failure] of failures) if (failure.stack === stack) failures.delete(subject)
      trigger()
    },
    trouble: (stack) => {
      const own = [...failures.values()].filter((failure) => failure.stack === stack)
      return own.find((failure) => failure.isHopeless) ?? own[0]
    },
    parts: () => seen,
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      following[Symbol.dispose]()
      events[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      await running
    },
  }
}

/** What it is done to, for people. */
function subjectOf(step: StackStep): string {
  const { name } = step.stack.spec
  switch (step.type) {
    case 'create-service':
      return `service ${name}_${step.service}`
    case 'remove-service':
      return `service ${step.record.name}`
    case 'remove-network':
      return `network ${step.name}`
    case 'remove-volume':
      return `volume ${step.name}`
    case 'forget-networks':
    case 'forget-stack':
      return `stack ${name}`
    default:
      return unreachable(step)
  }
}

/** Written only if nobody else wrote meanwhile; who was too late plans again when the change arrives. */
async function perform(step: StackStep, { store, mirror, node, secrets, clock, random }: StackLoopPorts): Promise<void> {
  const { stack } = step
  const stackKey = keyOf('stack', stack.spec.name)
  const now = mirror.get<StackRecord>(stackKey)
  // It is another one by now: that one is planned in its own turn.
  if (now?.value !== stack) return
  const stackCondition = { key: stackKey, revision: now.revision }
  const nowMs = clock.nowMs()
  switch (step.type) {
    case 'create-service': {
      const service = stack.spec.services.find(({ name }) => name === step.service)
      const { [step.service]: imageId = null, ...awaited } = stack.awaited
      const after = { key: stackKey, value: { ...stack, awaited, updatedAtMs: nowMs } }
      if (service === undefined) return void (await store.write({ conditions: [stackCondition], puts: [after] }))
      const wish = wishOf(stack, service, imageId, await secrets.versions(service, stack.spec))
      const made = createdService(newTaskId(random), wish, nowMs)
      const nameKey = keyOf('name', 'service', wish.name)
      await store.write({
        conditions: [stackCondition, { key: nameKey, revision: mirror.revisionOf(nameKey) }],
        puts: [
          after,
          { key: nameKey, value: { id: made.service.id } },
          { key: keyOf('service', made.service.id), value: made.service },
          { key: keyOf('revision', made.service.id, 1), value: made.revision },
          ...historyPuts({ service: made.service, actor: ITSELF, atMs: nowMs, random }, [createdEvent(made.service, wish)]),
        ],
      })
      return
    }
    case 'remove-service': {
      const key = keyOf('service', step.record.id)
      const service = mirror.get<ServiceRecord>(key)
      if (service?.value !== step.record) return
      const conditions = [{ key, revision: service.revision }]
      return void (await store.write({ conditions, puts: [{ key, value: removed(step.record, nowMs) }] }))
    }
    case 'remove-network':
      return await node.removeNetwork(step.name)
    case 'remove-volume':
      return await node.removeVolume(step.name)
    case 'forget-networks': {
      const networks = stack.former.networks.filter((name) => !step.names.includes(name))
      const value = { ...stack, former: { ...stack.former, networks }, updatedAtMs: nowMs }
      return void (await store.write({ conditions: [stackCondition], puts: [{ key: stackKey, value }] }))
    }
    case 'forget-stack':
      return void (await store.write({ conditions: [stackCondition], deletes: [stackKey] }))
    default:
      return unreachable(step)
  }
}
