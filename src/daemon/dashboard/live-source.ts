import { messageOf, type Clock, type Log } from '#base'
import type { NodeRecord, TaskRecord } from '#cluster/model'
import type { Changed, LiveSource, Watching } from '#dashboard/server'
import type { LiveTopics, Topic } from '#dashboard/wire'
import type { EngineEvent } from '#engine/events'
import type { Host } from '#host'

import type { Cluster } from '../cluster.ts'
import type { Engine } from '../engine.ts'
import { containerView } from './container-view.ts'
import { createEventRing } from './event-ring.ts'
import { hostFigures } from './host-figures.ts'
import { routeRates } from './route-rates.ts'
import { createSamples, SAMPLE_EVERY_MS } from './samples.ts'
import { serviceView, taskView } from './service-view.ts'

export interface LiveNeeds {
  readonly root: string
  readonly host: Host
  readonly engine: Pick<Engine, 'containers' | 'events'>
  readonly cluster: Pick<Cluster, 'stacks' | 'services' | 'router'>
  readonly clock: Clock
  readonly log: Log
}

/** A change that nothing told of is seen by then. */
const ANYWAY_EVERY_MS = 10_000
/** What happened before anybody looked: as far back as the engine remembers. */
const ALL_PAST = 0n

/** What the page is told of, taken from those who know it. */
export function liveSource(needs: LiveNeeds): LiveSource {
  return { watch: (changed) => watch(needs, changed) }
}

function watch(needs: LiveNeeds, changed: Changed): Watching {
  const { engine, cluster, clock, log } = needs
  const stack = new DisposableStack()
  const gone = new AbortController()
  stack.defer(() => gone.abort())
  const ring = createEventRing()
  const samples = createSamples(engine.containers, clock)
  const tasks = new Map<string, TaskRecord>()
  const nodes = new Map<string, NodeRecord>()
  const figures = hostFigures(needs.host, needs.root, clock)
  const routes = routeRates(cluster.router, clock)
  const complain = (what: string) => (error: unknown) => {
    if (!gone.signal.aborted) log.warn('the dashboard no longer hears of it', { what, error: messageOf(error) })
  }

  const onEvent = (event: EngineEvent) => {
    ring.add(event)
    changed('events', null)
    for (const id of containersOf(event)) changed('containers', [id])
  }
  followEvents(needs, gone.signal, onEvent).catch(complain('events'))
  followServices(needs, gone.signal, { tasks, nodes }, changed).catch(complain('services'))
  stack.use(cluster.stacks.listen(() => changed('stacks', null)))
  stack.use(
    every(clock, SAMPLE_EVERY_MS, async () => {
      const ids = await samples.turn()
      changed('samples', ids)
      changed('host', null)
      changed('routes', null)
    }),
  )
  stack.use(
    every(clock, ANYWAY_EVERY_MS, async () => {
      for (const topic of ['containers', 'stacks', 'services'] as const) changed(topic, null)
      await Promise.resolve()
    }),
  )

  const readers: { readonly [T in Topic]: (ids: readonly string[] | null) => Promise<ReadonlyMap<string, LiveTopics[T]>> } = {
    containers: async (ids) => {
      const wanted = ids === null ? undefined : new Set(ids)
      const records = engine.containers.list().filter(({ id }) => wanted?.has(id) ?? true)
      return await Promise.resolve(new Map(records.map((record) => [record.id, containerView(record)])))
    },
    samples: async (ids) => {
      const all = samples.all()
      const some = ids === null ? all : new Map(ids.flatMap((id) => entryOf(all, id)))
      return await Promise.resolve(some)
    },
    stacks: async () =>
      await Promise.resolve(new Map(cluster.stacks.list().map(({ name }) => [name, cluster.stacks.get(name)] as const))),
    services: async () => new Map((await cluster.services.list()).map((sight) => [sight.record.id, serviceView(sight)])),
    tasks: async (ids) => {
      const some = ids === null ? [...tasks] : ids.flatMap((id) => entryOf(tasks, id))
      return await Promise.resolve(new Map(some.map(([id, record]) => [id, taskView(record)])))
    },
    nodes: async () => await Promise.resolve(nodes),
    routes,
    host: async () => await Promise.resolve(new Map([['self', figures()]])),
    events: async () => await Promise.resolve(ring.all()),
  }
  return {
    read: async (topic, ids) => await readers[topic](ids),
    [Symbol.dispose]: () => stack.dispose(),
  }
}

function entryOf<V>(map: ReadonlyMap<string, V>, id: string): readonly (readonly [string, V])[] {
  const value = map.get(id)
  return value === undefined ? [] : [[id, value]]
}

async function followEvents({ engine }: LiveNeeds, signal: AbortSignal, tell: (event: EngineEvent) => void): Promise<void> {
  for await (const event of engine.events.subscribe({ sinceNs: ALL_PAST, untilNs: null, signal })) tell(event)
}

/** Containers whose records an event may have changed. */
function containersOf({ type, actorId, attributes }: EngineEvent): readonly string[] {
  if (type === 'container') return [actorId]
  const { container } = attributes
  return type === 'network' && container !== undefined ? [container] : []
}

async function followServices(
  { cluster }: LiveNeeds,
  signal: AbortSignal,
  { tasks, nodes }: { readonly tasks: Map<string, TaskRecord>; readonly nodes: Map<string, NodeRecord> },
  changed: Changed,
): Promise<void> {
  const keep = <V>(map: Map<string, V>, id: string, record: V | null) => (record === null ? map.delete(id) : map.set(id, record))
  for await (const event of cluster.services.watch(signal)) {
    if (event.kind === 'task') {
      keep(tasks, event.id, event.record)
      changed('tasks', [event.id])
      changed('services', null)
    } else if (event.kind === 'node') {
      keep(nodes, event.id, event.record)
      changed('nodes', null)
    } else if (event.kind === 'service' || event.kind === 'run') changed('services', null)
  }
}

/** Works again and again, with the pause between the end of one and the next. */
function every(clock: Clock, ms: number, work: () => Promise<void>): Disposable {
  let timer: Disposable | undefined
  let isOver = false
  const arm = () => {
    if (isOver) return
    timer = clock.after(ms, () => void work().finally(arm))
  }
  arm()
  return {
    [Symbol.dispose]: () => {
      isOver = true
      timer?.[Symbol.dispose]()
    },
  }
}
