import { keyedLocks, messageOf, type Clock, type Log } from '#base'

import { parseAccessLine, type AccessLine } from './access-lines.ts'
import { openAccessLog } from './access-log.ts'
import { openAccessReader, type AccessReader } from './access-reader.ts'
import { ruleOf } from './entries.ts'
import { addCounts, bucketOf, NO_COUNTS, NO_LATENCY } from './histogram.ts'
import { SAMPLE_RING } from './log-format.ts'
import { sectionName } from './names.ts'
import type { BackendMetrics, MetricCounts, Route, RouteMetrics } from './port.ts'
import type { Proxy } from './proxy.ts'
import { parseStatRows } from './stat-rows.ts'

export interface MetricsNeeds {
  readonly proxy: Proxy
  readonly clock: Clock
  readonly log: Log
  readonly accessLogPath: string
  readonly socketPath: string
}

export interface RouterMetrics extends RouteMetrics, AsyncDisposable {
  /** These are served from now on. */
  follow(routes: readonly Route[]): void
  /** Takes what the worker has counted: the next one begins with nothing. */
  poll(): Promise<void>
  pause(): void
}

/** What a server counted in its last second is lost with it, or with a worker that dies. */
const POLL_MS = 1000
/** Backends that are remembered after they are gone, the oldest are forgotten. */
const MAX_TRACKED = 20_000

interface Tracked {
  /** Section and server. */
  readonly name: string
  readonly routeId: string
  readonly group: string
  readonly backendId: string
  counts: MetricCounts
  queued: number
  readonly buckets: number[]
  samples: number
}

export function openMetrics({ proxy, clock, log, accessLogPath, socketPath }: MetricsNeeds): RouterMetrics {
  const locks = keyedLocks()
  const accessLog = openAccessLog(accessLogPath, log)
  /** By section, server and group: what a server does in another group than before is counted anew. */
  const tracked = new Map<string, Tracked>()
  /** By section and server: where it is counted now. */
  const current = new Map<string, Tracked>()
  /** By section and server: what the worker told last. */
  let last = new Map<string, MetricCounts>()
  /** By entry: the youngest line that was read. */
  const counters = new Map<string, number>()
  let lastRequests = 0
  let worker = 0
  /** What a worker has from before our time is only looked at. */
  let isStarted = false
  let sections = new Map<string, Route>()
  /** Of servers, by section and name. */
  let groups = new Map<string, string>()
  let reader: AccessReader | undefined
  let timer: Disposable | undefined
  let isClosed = false

  const trackedFor = (section: string, server: string): Tracked | undefined => {
    const name = `${section}/${server}`
    const known = current.get(name)
    const group = groups.get(name) ?? known?.group ?? ''
    if (known?.group === group) return known
    const route = sections.get(section)
    if (route === undefined) return known
    const key = `${name} ${group}`
    const before = tracked.get(key)
    if (before === undefined && tracked.size >= MAX_TRACKED) forgetOldest()
    const target = before ?? { name, routeId: route.id, group, backendId: server, ...nothingYet() }
    tracked.set(key, target)
    current.set(name, target)
    return target
  }

  const forgetOldest = () => {
    const [oldest] = tracked
    if (oldest === undefined) return
    const [key, target] = oldest
    tracked.delete(key)
    if (current.get(target.name) === target) current.delete(target.name)
  }

  const record = (line: AccessLine) => {
    const route = sections.get(line.section)
    if (route !== undefined && line.isForAccessLog && line.atMs > accessLog.lastMs) accessLog.write(route.id, line)
  }

  const recordAll = (lines: readonly string[]) => {
    for (const text of lines) {
      const line = parseAccessLine(text)
      if (line !== undefined) record(line)
    }
  }

  const measure = (line: AccessLine) => {
    if (line.responseMs === null || line.server === '') return
    const target = trackedFor(line.section, line.server)
    if (target === undefined) return
    const bucket = bucketOf(line.responseMs)
    target.buckets[bucket] = (target.buckets[bucket] ?? 0) + line.weight
    target.samples += 1
  }

  /** The whole ring, of which only the lines that were not there before count: those of an earlier daemon's time are not ours. */
  const readSamples = async (isOurs: boolean) => {
    const seen = new Map(counters)
    for (const text of (await proxy.ask(`show events ${SAMPLE_RING}`)).split('\n')) {
      const line = parseAccessLine(text)
      if (line === undefined || line.counter <= (seen.get(line.entry) ?? -1)) continue
      counters.set(line.entry, Math.max(line.counter, counters.get(line.entry) ?? -1))
      if (isOurs) measure(line)
    }
  }

  const poll = async () =>
    await locks.run('poll', async () => {
      const pid = proxy.pid() === undefined ? undefined : await proxy.workerPid()
      if (pid === undefined) return
      if (pid !== worker) {
        last = new Map()
        counters.clear()
      }
      const isFirst = worker === 0 && !isStarted
      worker = pid
      isStarted = true
      reader?.follow(pid)
      const rows = parseStatRows(await proxy.ask('show stat -1 6 -1'))
      const next = new Map<string, MetricCounts>()
      const bySection = new Map<string, MetricCounts>()
      for (const known of tracked.values()) known.queued = 0
      for (const { section, server, counts, queued } of rows.toSorted(
        (a, b) => (a.server === '' ? 1 : 0) - (b.server === '' ? 1 : 0),
      )) {
        const key = `${section}/${server}`
        next.set(key, counts)
        const target = trackedFor(section, server)
        if (target === undefined) continue
        // HAProxy tells of a section what waits for the section as a whole, and of a server what waits for it alone.
        target.queued = queued
        const grown = growth(counts, last.get(key) ?? NO_COUNTS)
        const others = bySection.get(section) ?? NO_COUNTS
        // Of a whole section only what none of its servers did.
        target.counts = addCounts(target.counts, server === '' ? growth(grown, others) : grown)
        bySection.set(section, addCounts(others, grown))
      }
      const requests = [...next.values()].reduce((sum, counts) => sum + counts.requests, 0)
      if (isFirst || requests !== lastRequests) await readSamples(!isFirst)
      lastRequests = requests
      last = next
    })

  const tick = () => {
    timer?.[Symbol.dispose]()
    if (isClosed) return
    timer = clock.after(POLL_MS, () => {
      poll()
        .catch((error: unknown) => log.debug('cannot read the counters of HAProxy', { error: messageOf(error) }))
        .finally(tick)
    })
  }

  return {
    read: async () => {
      await poll()
      return [...tracked.values()].map(snapshot)
    },
    poll,
    follow: (routes) => {
      const named = routes.map((route) => [sectionName(route), route] as const)
      sections = new Map(named)
      groups = new Map(
        named.flatMap(([section, { backends }]) => backends.map(({ id, group }) => [`${section}/${id}`, group ?? ''] as const)),
      )
      const isLogged = routes.some((route) => ruleOf(route).hasAccessLog)
      if (!isLogged) reader?.[Symbol.dispose]()
      reader = isLogged ? (reader ?? openAccessReader(socketPath, clock, recordAll)) : undefined
      if (timer === undefined) {
        poll().catch(() => undefined)
        tick()
      }
    },
    pause: () => {
      timer?.[Symbol.dispose]()
      timer = undefined
      reader?.[Symbol.dispose]()
      reader = undefined
      worker = 0
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      timer?.[Symbol.dispose]()
      reader?.[Symbol.dispose]()
      await locks.run('poll', async () => undefined)
      await accessLog.flush()
    },
  }
}

/** Nothing goes back, whatever order things were read in. */
function growth(now: MetricCounts, before: MetricCounts): MetricCounts {
  const grown = addCounts(now, before, -1)
  return Object.fromEntries(Object.entries(grown).map(([key, value]) => [key, Math.max(0, value)])) as unknown as MetricCounts
}

function nothingYet(): Pick<Tracked, 'counts' | 'queued' | 'buckets' | 'samples'> {
  return { counts: NO_COUNTS, queued: 0, buckets: [...NO_LATENCY.counts], samples: 0 }
}

function snapshot({ routeId, group, backendId, counts, queued, buckets, samples }: Tracked): BackendMetrics {
  return { routeId, group, backendId, counts, queued, latency: { counts: [...buckets], samples } }
}
