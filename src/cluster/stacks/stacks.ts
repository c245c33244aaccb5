import type { Clock, Log, Random } from '#base'
import type { NodePort } from '#cluster/agent'
import { startTimeOf, type ChangePlan, type Sight } from '#cluster/changes'
import { historyPuts } from '#cluster/history'
import { ITSELF, keyOf, prefixOf, type Actor, type RevisionRecord, type ServiceRecord, type StackRecord } from '#cluster/model'
import type { RouteLoop, RoutePort } from '#cluster/routes'
import {
  askedEvents,
  clusterPictures,
  isStaying,
  newTaskId,
  sightOf,
  targetOf,
  type Mirror,
  type ServiceLoop,
  type ServiceState,
} from '#cluster/services'
import type { ServiceSpec, StackSpec } from '#cluster/spec'
import type { ClusterStore, Entry } from '#cluster/store'

import { changeSource } from './change-source.ts'
import { stackError } from './errors.ts'
import { startStackLoop } from './loop.ts'
import { planApply, removed, type ApplyInput, type KnownService } from './plan-apply.ts'
import { checkPortClaims } from './port-claims.ts'
import type { Asked, StackChange, Stacks, StackStatus } from './port.ts'
import { previewApply, previewRemoval } from './preview.ts'
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
  const { store, mirror, loop, routeLoop, clock, random } = ports
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

  async function apply(
    spec: StackSpec,
    given: Readonly<Record<string, string>>,
    { actor = ITSELF, planId }: Asked = {},
  ): Promise<StackChange> {
    for (let tries = 1; ; tries += 1) {
      const input = { ...(await applyInput(ports, spec, given)), by: actor.by, calm: calmServices(spec.name) }
      if (planId !== undefined && previewApply(input, {}).id !== planId)
        throw stackError('stack.outdated', `the stack ${spec.name} was changed meanwhile: this is not what was shown`, {
          hint: 'Ask again, and look at what would be done now.',
        })
      const { transaction, change, happened } = planApply(input)
      const told = happened.flatMap(({ service, events }) => historyPuts({ service, actor, atMs: input.nowMs, random }, events))
      const puts = [...(transaction.puts ?? []), ...told]
      const written = puts.length === 0 ? mirror.revision() : await store.write({ ...transaction, puts })
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

  function calmServices(stack: string): ReadonlySet<string> {
    const own = [...picture(clock.nowMs()).services.values()].filter(({ service }) => service.stack === stack)
    return new Set(own.filter(isCalm).map(({ service }) => service.id))
  }

  /** What runs of a stack, for how long a change of it takes. */
  function seenOf(stack: string): Sight['services'] {
    const cluster = picture(clock.nowMs())
    const own = [...cluster.services.values()].filter(({ service }) => service.stack === stack)
    return Object.fromEntries(
      own.flatMap((state) => {
        const sight = sightOf(state, cluster, 0, [])
        if (sight === undefined) return []
        const { runningTasks, desiredTasks } = sight
        return [[state.service.name, { runningTasks, desiredTasks, startMs: startTimeOf(state.tasks) }] as const]
      }),
    )
  }

  async function preview(
    spec: StackSpec,
    given: Readonly<Record<string, string>>,
    foreseen: Readonly<Record<string, number>>,
  ): Promise<ChangePlan> {
    const input = await applyInput(ports, spec, given, foreseen)
    return previewApply(input, seenOf(spec.name))
  }

  async function beginRemoval(name: string, removeVolumes: boolean, actor: Actor): Promise<void> {
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
          ...services.flatMap(({ value: service }) =>
            historyPuts({ service, actor, atMs: clock.nowMs(), random }, askedEvents('remove', service, service)),
          ),
        ],
      })
      if (written !== null) return await seen(written)
      if (tries >= MAX_TRIES) throw stackError('stack.changed', `the stack ${name} is changed by others all the time`)
      await clock.sleep(CONFLICT_MS)
    }
  }

  return {
    apply,
    preview,
    previewRemoval: async (name, { volumes }) =>
      previewRemoval(recordOf(name), await knownServices(store, name), seenOf(name), volumes),
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
      await beginRemoval(name, options.volumes, options.actor ?? ITSELF)
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

/** Nothing of it waits to be tried again, or stands still because of what failed. */
function isCalm({ service, tasks }: ServiceState): boolean {
  if (service.rollout?.state === 'paused') return false
  return tasks.every((task) => {
    if (!isStaying(task)) return true
    const { state, error, failedSteps = 0 } = task.status
    return (task.failures ?? 0) === 0 && error === '' && failedSteps === 0 && state !== 'failed' && state !== 'rejected'
  })
}

async function applyInput(
  { store, node, routes, secrets, clock, random }: StacksPorts,
  spec: StackSpec,
  given: Readonly<Record<string, string>>,
  foreseen: Readonly<Record<string, number>> = {},
): Promise<ApplyInput> {
  const images = await resolveImages(spec, given, node)
  const versions: Record<string, Readonly<Record<string, number>>> = {}
  for (const service of spec.services)
    if (service.secrets.length + service.configs.length > 0)
      versions[service.name] = { ...(await secrets.versions(service, spec)), ...mountedOf(service, spec, foreseen) }
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
  const known = await withRevisions(
    store,
    services.filter(({ value }) => value.stack === spec.name),
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

async function knownServices(store: ClusterStore, stack: string): Promise<readonly KnownService[]> {
  const { entries } = await store.range<ServiceRecord>(prefixOf('service'))
  return await withRevisions(
    store,
    entries.filter(({ value }) => value.stack === stack),
  )
}

async function withRevisions(store: ClusterStore, services: readonly Entry<ServiceRecord>[]): Promise<readonly KnownService[]> {
  return await Promise.all(
    services.map(async ({ value, revision }) => {
      const revisions = (await store.range<RevisionRecord>(prefixOf('revision', value.id))).entries
      return { service: value, version: revision, revisions: revisions.map((entry) => entry.value) }
    }),
  )
}

/** Of the versions that are foreseen those of what the service mounts. */
function mountedOf(
  service: ServiceSpec,
  stack: StackSpec,
  foreseen: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const parts = [
    ...service.secrets.map(({ secret }) => ['secret', stack.secrets.find(({ key }) => key === secret)?.name] as const),
    ...service.configs.map(({ secret }) => ['config', stack.configs.find(({ key }) => key === secret)?.name] as const),
  ]
  return Object.fromEntries(
    parts.flatMap(([kind, name]) => {
      const version = name === undefined ? undefined : foreseen[`${kind}/${name}`]
      return version === undefined ? [] : [[`${kind}/${name}`, version] as const]
    }),
  )
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
