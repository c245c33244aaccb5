import type { Clock, Log, Random } from '#base'
import type { NodePort } from '#cluster/agent'
import { keyOf, prefixOf, type RevisionRecord, type ServiceRecord, type StackRecord } from '#cluster/model'
import type { RouteLoop, RoutePort } from '#cluster/routes'
import { clusterPictures, newTaskId, targetOf, type Mirror, type ServiceLoop } from '#cluster/services'
import type { StackSpec } from '#cluster/spec'
import type { ClusterStore } from '#cluster/store'

import { changeSource } from './change-source.ts'
import { stackError } from './errors.ts'
import { startStackLoop } from './loop.ts'
import { planApply, removed, type ApplyInput } from './plan-apply.ts'
import { checkPortClaims } from './port-claims.ts'
import type { StackChange, Stacks, StackStatus } from './port.ts'
import { stackStatus } from './status.ts'
import { watchStatus } from './watch.ts'
import { portKey, serviceName, type SecretVersions } from './wishes.ts'

export interface StacksPorts {
  readonly store: ClusterStore
  /** Follows stacks besides what services are made of. */
  readonly mirror: Mirror
  readonly loop: ServiceLoop
  readonly routeLoop: RouteLoop
  readonly node: NodePort
  readonly routes: Pick<RoutePort, 'freePort'>
  readonly secrets: SecretVersions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** One node runs some dozens of applications; every round looks at all of them. */
const MAX_STACKS = 1000
/** A loop and a user write the same service now and then; more conflicts in a row than this are no accident. */
const MAX_TRIES = 20
const CONFLICT_MS = 5

export function openStacks(ports: StacksPorts): Stacks {
  const { store, mirror, loop, routeLoop, clock } = ports
  const picture = clusterPictures(mirror)
  const changes = changeSource()
  const stackLoop = startStackLoop(ports)
  const following = [
    mirror.listen(({ changes: all }) => {
      if (all.length === 0 || all.some(({ key }) => /^(stack|service|revision|task)\//.test(key))) changes.announce()
    }),
    loop.listen(changes.wake),
    routeLoop.listen(changes.wake),
    stackLoop.listen(changes.wake),
  ]
  const records = () => mirror.range<StackRecord>(prefixOf('stack')).map(({ value }) => value)
  const recordOf = (name: string): StackRecord => {
    const entry = mirror.get<StackRecord>(keyOf('stack', name))
    if (entry === undefined) throw stackError('stack.not_found', `no such stack: ${name}`)
    return entry.value
  }
  const statusOf = (record: StackRecord): StackStatus =>
    stackStatus(record, {
      cluster: picture(clock.nowMs()),
      mirror,
      loop,
      toldRevision: routeLoop.toldRevision(),
      routeFailures: routeLoop.failures(),
      trouble: stackLoop.trouble(record.spec.name),
      parts: stackLoop.parts(),
    })
  const statusNow = (name: string): StackStatus | undefined => {
    const entry = mirror.get<StackRecord>(keyOf('stack', name))
    return entry === undefined ? undefined : statusOf(entry.value)
  }

  /** Whoever asks next finds what was written. */
  async function seen(revision: number): Promise<void> {
    while (mirror.revision() < revision) await changes.next()
  }

  async function apply(spec: StackSpec, given: Readonly<Record<string, string>>): Promise<StackChange> {
    for (let tries = 1; ; tries += 1) {
      const { transaction, change } = planApply(await applyInput(ports, spec, given))
      const written = (transaction.puts ?? []).length === 0 ? mirror.revision() : await store.write(transaction)
      if (written !== null) {
        stackLoop.forgive(spec.name)
        if ([...routeLoop.failures().keys()].some((id) => id.startsWith(`${spec.name}/`))) routeLoop.trigger()
        await seen(written)
        return change
      }
      if (tries >= MAX_TRIES) throw stackError('stack.changed', `the stack ${spec.name} is changed by others all the time`)
      await clock.sleep(CONFLICT_MS)
    }
  }

  async function beginRemoval(name: string, removeVolumes: boolean): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const key = keyOf('stack', name)
      const entry = await store.get<StackRecord>(key)
      if (entry === undefined) throw stackError('stack.not_found', `no such stack: ${name}`)
      const before = entry.value
      const isRemoving = before.state === 'removing'
      const services = (await store.range<ServiceRecord>(prefixOf('service'))).entries.filter(
        ({ value }) => value.stack === name && value.state !== 'removing',
      )
      const record: StackRecord = {
        ...before,
        state: 'removing',
        awaited: {},
        removeVolumes: removeVolumes || (isRemoving && before.removeVolumes),
        revision: before.revision + (isRemoving ? 0 : 1),
        updatedAtMs: clock.nowMs(),
      }
      const written = await store.write({
        conditions: [
          { key, revision: entry.revision },
          ...services.map((service) => ({ key: service.key, revision: service.revision })),
        ],
        puts: [
          { key, value: record },
          ...services.map((service) => ({ key: service.key, value: removed(service.value, clock.nowMs()) })),
        ],
      })
      if (written !== null) return await seen(written)
      if (tries >= MAX_TRIES) throw stackError('stack.changed', `the stack ${name} is changed by others all the time`)
      await clock.sleep(CONFLICT_MS)
    }
  }

  return {
    apply,
    list: () =>
      records().map((record) => {
        const status = statusOf(record)
        const runningTasks = status.services.flatMap((service) => service.tasks).filter((task) => task.state === 'running').length
        const desiredTasks = status.services.reduce((sum, service) => sum + service.desiredReplicas, 0)
        const { name, state, services, directory } = status
        return { name, state, services: services.length, runningTasks, desiredTasks, directory }
      }),
    get: (name) => statusOf(recordOf(name)),
    watch: (name, signal) => {
      recordOf(name)
      return watchStatus(() => statusNow(name), changes, signal)
    },
    remove: async (name, options) => {
      await beginRemoval(name, options.volumes)
      stackLoop.forgive(name)
      for (;;) {
        const next = changes.next(options.signal)
        next.catch(() => undefined)
        if (mirror.get(keyOf('stack', name)) === undefined) return
        await next
      }
    },
    specs: () => records().flatMap(({ state, spec }) => (state === 'active' ? [spec] : [])),
    listen: (changed) => changes.listen(changed),
    wantedImages: () => {
      const states = [...picture(clock.nowMs()).services.values()].filter(({ service }) => service.state !== 'removing')
      const byName = new Map(states.map((state) => [state.service.name, state]))
      const active = records().filter(({ state }) => state === 'active')
      return active.flatMap(({ spec, awaited }) =>
        spec.services.map(({ name, task }) => {
          const state = byName.get(serviceName(spec.name, name))
          const imageId = state === undefined ? awaited[name] : targetOf(state)?.imageId
          return { stack: spec.name, image: imageId ?? task.image }
        }),
      )
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of following) one[Symbol.dispose]()
      await stackLoop[Symbol.asyncDispose]()
      changes.end()
    },
  }
}

async function applyInput(
  { store, node, routes, secrets, clock, random }: StacksPorts,
  spec: StackSpec,
  given: Readonly<Record<string, string>>,
): Promise<ApplyInput> {
  const images = await resolveImages(spec, given, node)
  const versions: Record<string, Readonly<Record<string, number>>> = {}
  for (const service of spec.services)
    if (service.secrets.length + service.configs.length > 0) versions[service.name] = await secrets.versions(service, spec)
  const stacks = (await store.range<StackRecord>(prefixOf('stack'))).entries
  const before = stacks.find(({ value }) => value.spec.name === spec.name)
  if (before?.value.state === 'removing')
    throw stackError('stack.is_being_removed', `the stack ${spec.name} is being removed: wait until it is gone`)
  if (before === undefined && stacks.length >= MAX_STACKS)
    throw stackError('stack.too_many', `there are ${MAX_STACKS} stacks already`)
  checkPortClaims(
    spec,
    stacks.map(({ value }) => value),
  )
  const services = (await store.range<ServiceRecord>(prefixOf('service'))).entries
  const own = services.filter(({ value }) => value.stack === spec.name)
  const known = await Promise.all(
    own.map(async ({ value, revision }) => {
      const revisions = (await store.range<RevisionRecord>(prefixOf('revision', value.id))).entries
      return { service: value, version: revision, revisions: revisions.map((entry) => entry.value) }
    }),
  )
  const names = (await store.range(prefixOf('name', 'service'))).entries
  return {
    before: before === undefined ? undefined : { record: before.value, version: before.revision },
    spec,
    images,
    chosenPorts: await choosePorts(spec, before?.value.chosenPorts ?? {}, routes),
    versions,
    known,
    taken: new Set(services.filter(({ value }) => value.stack !== spec.name).map(({ value }) => value.name)),
    nameVersions: new Map(names.map(({ key, revision }) => [key.slice(prefixOf('name', 'service').length), revision])),
    nowMs: clock.nowMs(),
    newId: () => newTaskId(random),
  }
}

async function resolveImages(
  spec: StackSpec,
  given: Readonly<Record<string, string>>,
  node: Pick<NodePort, 'resolveImage'>,
): Promise<Readonly<Record<string, string>>> {
  const resolved: Record<string, string> = {}
  for (const { name, task } of spec.services) {
    const id = given[name] ?? (await node.resolveImage(task.image))
    if (id !== undefined) resolved[name] = id
  }
  return resolved
}

/** Those that were chosen before stay. */
async function choosePorts(
  spec: StackSpec,
  before: Readonly<Record<string, number>>,
  routes: Pick<RoutePort, 'freePort'>,
): Promise<Readonly<Record<string, number>>> {
  const chosen: Record<string, number> = {}
  for (const { name, ports } of spec.services)
    for (const port of ports) {
      const key = portKey(name, port)
      if (port.mode !== 'ingress' || port.published !== null) continue
      chosen[key] = before[key] ?? (await routes.freePort(port.hostIp))
    }
  return chosen
}
