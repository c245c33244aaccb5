import { messageOf, type Clock, type Log } from '#base'
import { prefixOf, type RevisionRecord, type ServiceRecord, type StackRecord, type TaskRecord } from '#cluster/model'
import type { Mirror } from '#cluster/services'

import { planRoutes, type RevisionTraffic, type RoutedService } from './plan.ts'
import type { RoutePort } from './route-port.ts'

export interface RouteLoopPorts {
  /** Follows stacks, services, revisions and tasks. */
  readonly mirror: Mirror
  readonly routes: Pick<RoutePort, 'apply'>
  readonly clock: Clock
  readonly log: Log
}

/** The only one who tells the router what to route: it always says all of it. */
export interface RouteLoop extends AsyncDisposable {
  /** Somebody wants it looked at again, such as a port that was taken. */
  trigger(): void
  /** Revision of the picture that the router was told last; 0: it was told nothing yet. */
  toldRevision(): number
  /** Why routes are not served, by their ids. */
  failures(): ReadonlyMap<string, string>
  /** Where the figures of revisions are counted apart just now. */
  traffic(): readonly RevisionTraffic[]
  /** Called after the router was told. */
  listen(listener: () => void): Disposable
}

/** A port that somebody else had may be free again; and a router that lost something gets it back. */
const SLOW_ROUND_MS = 15_000
const BROKEN_ROUND_MS = 1000

/** Nothing is told before the mirror has a picture: the router would take away what it routes. */
export function startRouteLoop({ mirror, routes, clock, log }: RouteLoopPorts): RouteLoop {
  const listeners = new Set<() => void>()
  let told: string | null = null
  let toldRevision = 0
  let failures: ReadonlyMap<string, string> = new Map()
  let traffic: readonly RevisionTraffic[] = []
  let isDirty = false
  let isClosed = false
  let running: Promise<void> | undefined
  let timer: Disposable | undefined

  const trigger = (): void => {
    isDirty = true
    if (running !== undefined || isClosed) return
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
      let lookAgainMs = SLOW_ROUND_MS
      try {
        await tell()
      } catch (error) {
        lookAgainMs = BROKEN_ROUND_MS
        told = null
        log.warn('the router did not take the routes', { error: messageOf(error) })
      }
      for (const listener of listeners) listener()
      if (!isClosed) timer = clock.after(lookAgainMs, again)
    }
  }

  async function tell(): Promise<void> {
    const revision = mirror.revision()
    const planned = planRoutes(
      mirror.range<StackRecord>(prefixOf('stack')).map(({ value }) => value),
      routedServices(mirror),
    )
    traffic = planned.traffic
    const text = JSON.stringify(planned.routes)
    if (text !== told) {
      const before = failures
      failures = new Map((await routes.apply(planned.routes)).map(({ id, reason }) => [id, reason]))
      told = text
      for (const [id, reason] of failures) if (before.get(id) !== reason) log.warn('a route is not served', { route: id, reason })
    }
    toldRevision = revision
  }

  function again(): void {
    told = null
    trigger()
  }

  const following = mirror.listen(trigger)
  trigger()
  return {
    trigger: again,
    toldRevision: () => toldRevision,
    failures: () => failures,
    traffic: () => traffic,
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

function routedServices(mirror: Mirror): readonly RoutedService[] {
  const revisions = Map.groupBy(
    mirror.range<RevisionRecord>(prefixOf('revision')).map(({ value }) => value),
    (revision) => revision.serviceId,
  )
  const tasks = Map.groupBy(
    mirror.range<TaskRecord>(prefixOf('task')).map(({ value }) => value),
    (task) => task.serviceId,
  )
  return mirror.range<ServiceRecord>(prefixOf('service')).map(({ value: service }) => ({
    service,
    revisions: new Map((revisions.get(service.id) ?? []).map((revision) => [revision.number, revision])),
    tasks: tasks.get(service.id) ?? [],
  }))
}
