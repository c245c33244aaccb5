import { fail, type Clock, type Log, type RecordStore } from '#base'

import {
  canonical,
  portKey,
  startReconciler,
  type NodePort,
  type Reconciler,
  type RoutePort,
  type StackRecord,
} from '#cluster/reconcile'
import type { StackSpec } from '#cluster/spec'
import { describeChanges } from './changes.ts'
import { completeRecord } from './complete-record.ts'
import { stackError } from './errors.ts'
import { checkPortClaims } from './port-claims.ts'
import type { StackChange, Stacks, StackStatus } from './port.ts'
import { stackStatus } from './status.ts'
import { watchStatus, type ChangeSource } from './watch.ts'

export interface StacksPorts {
  readonly store: RecordStore
  readonly node: NodePort
  readonly routes: RoutePort
  readonly clock: Clock
  readonly log: Log
}

/** One node runs some dozens of applications; every round looks at all of them. */
const MAX_STACKS = 1000

export function openStacks(ports: StacksPorts): Stacks {
  const { node, routes, clock, log } = ports
  const table = ports.store.table<StackRecord>('stacks')
  const records = () => table.entries().map(([, record]) => record)
  const changes = changeSource()
  const reconciler: Reconciler = startReconciler({
    node,
    routes,
    clock,
    log,
    stacks: records,
    complete: async () => {
      for (const record of records()) {
        const complete = await completeRecord(record, node, routes)
        // The user may have applied another revision meanwhile: that one is completed in its own turn.
        if (complete !== record && table.get(record.spec.name)?.revision === record.revision)
          table.put(record.spec.name, complete)
      }
    },
    forgetStack: (name) => {
      // Applied again while it was going: not possible, but a record of a stack that is wanted must never be lost.
      if (table.get(name)?.state === 'removing') table.delete(name)
      changes.announce()
    },
  })
  reconciler.listen(() => changes.announce())

  const recordOf = (name: string): StackRecord => {
    const record = table.get(name)
    if (record === undefined) throw stackError('stack.not_found', `no such stack: ${name}`)
    return record
  }
  const statusNow = (name: string): StackStatus | undefined => {
    const record = table.get(name)
    return record === undefined ? undefined : stackStatus(record, reconciler.last())
  }

  return {
    apply: async (spec, images) => {
      const resolved = await resolveImages(spec, images, node)
      const before = table.get(spec.name)
      if (before?.state === 'removing')
        throw stackError('stack.is_being_removed', `the stack ${spec.name} is being removed: wait until it is gone`)
      if (before === undefined && records().length >= MAX_STACKS)
        throw stackError('stack.too_many', `there are ${MAX_STACKS} stacks already`)
      checkPortClaims(spec, records())
      const after = nextRecord(before, spec, resolved)
      const change = describeChange(before, after)
      if (change.isChanged) table.put(spec.name, after)
      changes.tell()
      reconciler.forgive(spec.name)
      return change
    },
    list: () =>
      records().map((record) => {
        const status = stackStatus(record, reconciler.last())
        const runningTasks = status.services.flatMap((service) => service.tasks).filter((task) => task.state === 'running').length
        const desiredTasks = status.services.reduce((sum, service) => sum + service.desiredReplicas, 0)
        return {
          name: status.name,
          state: status.state,
          services: status.services.length,
          runningTasks,
          desiredTasks,
          directory: status.directory,
        }
      }),
    get: (name) => stackStatus(recordOf(name), reconciler.last()),
    watch: (name, signal) => {
      recordOf(name)
      return watchStatus(() => statusNow(name), changes, signal)
    },
    remove: async (name, options) => {
      const record = recordOf(name)
      const removeVolumes = options.volumes || (record.state === 'removing' && record.removeVolumes)
      table.put(name, { ...record, state: 'removing', removeVolumes, revision: record.revision + 1 })
      reconciler.forgive(name)
      for (;;) {
        const next = changes.next(options.signal)
        next.catch(() => undefined)
        if (table.get(name) === undefined) return
        await next
      }
    },
    specs: () => records().flatMap(({ state, spec }) => (state === 'active' ? [spec] : [])),
    listen: (changed) => changes.listen(changed),
    wantedImages: () =>
      records()
        .filter(({ state }) => state === 'active')
        .flatMap(({ spec, images }) =>
          spec.services.map(({ name, task }) => ({ stack: spec.name, image: images[name] ?? task.image })),
        ),
    recover: () => reconciler.trigger(),
    [Symbol.asyncDispose]: async () => await reconciler[Symbol.asyncDispose](),
  }
}

async function resolveImages(
  spec: StackSpec,
  given: Readonly<Record<string, string>>,
  node: NodePort,
): Promise<Readonly<Record<string, string>>> {
  const resolved: Record<string, string> = {}
  for (const { name, task } of spec.services) {
    const id = given[name] ?? (await node.resolveImage(task.image))
    if (id !== undefined) resolved[name] = id
  }
  return resolved
}

function nextRecord(before: StackRecord | undefined, spec: StackSpec, images: Readonly<Record<string, string>>): StackRecord {
  const revision = (before?.revision ?? 0) + 1
  const keys = spec.services.flatMap((service) => service.ports.map((port) => portKey(service.name, port)))
  const chosenPorts = Object.fromEntries(Object.entries(before?.chosenPorts ?? {}).filter(([key]) => keys.includes(key)))
  return { spec, revision, state: 'active', removeVolumes: false, images, chosenPorts }
}

function describeChange(before: StackRecord | undefined, after: StackRecord): StackChange {
  const isChanged = before === undefined || canonical([before.spec, before.images]) !== canonical([after.spec, after.images])
  const { name } = after.spec
  const warnings = after.spec.services
    .filter((service) => after.images[service.name] === undefined)
    .map((service) => `${service.name}: the image ${service.task.image} is not here yet`)
  return {
    name,
    revision: isChanged ? after.revision : before.revision,
    isChanged,
    changes: isChanged ? describeChanges(before, after) : [],
    warnings,
  }
}

interface AnnouncedChanges extends ChangeSource {
  /** Whoever waits for the next change goes on. */
  announce(): void
  /** What is wanted is another; nobody waits for that. */
  tell(): void
  listen(changed: () => void): Disposable
}

function changeSource(): AnnouncedChanges {
  let waiter = Promise.withResolvers<void>()
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  return {
    tell,
    listen: (changed) => {
      listeners.add(changed)
      return { [Symbol.dispose]: () => void listeners.delete(changed) }
    },
    announce: () => {
      tell()
      waiter.resolve()
      waiter = Promise.withResolvers<void>()
    },
    next: (signal) => {
      const { promise } = waiter
      if (signal.aborted) return Promise.reject(cancelled())
      const { promise: aborted, reject } = Promise.withResolvers<never>()
      const abort = () => reject(cancelled())
      signal.addEventListener('abort', abort, { once: true })
      return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort))
    },
  }
}

function cancelled() {
  return fail('operation.cancelled', 'nobody waits for the stack any more')
}
