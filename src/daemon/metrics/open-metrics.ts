import { hostname } from 'node:os'
import { join } from 'node:path'

import type { MetricsPort } from '#api/glovebox'
import { serveTcp } from '#api/http'
import { metricsApi, type MetricsApi } from '#api/metrics'
import type { Clock, Log } from '#base'
import type { Collection } from '#engine/collection'
import type { ContainerRecord } from '#engine/containers'
import { linuxMachine, type Host } from '#host'
import { historyError, openHistory, startSampler, type History } from '#observe/history'
import { createRegistry, type MetricRegistry, type Reading } from '#observe/metrics'
import { startRemoteWrite } from '#observe/remote-write'
import { createScraping, type Candidate, type Scraping } from '#observe/scraping'

import type { DaemonOptions } from '../arguments.ts'
import type { Cluster } from '../cluster.ts'
import type { Engine } from '../engine.ts'
import { isLoopback } from '../registry-arguments.ts'
import { countEvents } from './api-counts.ts'
import { countCluster } from './cluster-counts.ts'
import { containerSource } from './container-source.ts'
import { contentSource } from './content-source.ts'
import { containerNames, toldNames } from './container-labels.ts'
import { daemonSource } from './daemon-source.ts'
import { fetchFromInside } from './fetch-text.ts'
import { historySource } from './history-source.ts'
import { hostSource } from './host-source.ts'
import { postMetrics } from './post-metrics.ts'
import { routeSource } from './route-source.ts'
import { serviceSource } from './service-source.ts'

export interface MetricsNeeds extends DaemonOptions {
  readonly clock: Clock
  readonly log: Log
  readonly host: Host
  readonly engine: Engine
  readonly cluster: Cluster
  readonly garbage: Pick<Collection, 'report'>
  readonly measured: MetricRegistry
}

/** Everything about metrics that this daemon does: tells them to who asks, keeps them, sends them. */
export interface OpenMetrics extends AsyncDisposable {
  readonly api: MetricsApi
  readonly port: MetricsPort
}

/** How late timers fire: a millisecond is nothing, a second is felt by every client. */
const LATENESS_BOUNDS_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** A scrape right behind another gets the same: figures move every ten seconds where anybody keeps them. */
const FRESH_MS = 1000

/** What is counted as it happens: made first, for those who count. */
export function openMetricRegistry(needs: { readonly clock: Clock; readonly log: Log }): MetricRegistry {
  return createRegistry(needs)
}

export async function openMetrics(needs: MetricsNeeds): Promise<OpenMetrics> {
  const { clock, log, host, engine, cluster, root, measured: registry, metrics: options } = needs
  await using undo = new AsyncDisposableStack()
  const history =
    options.historyBytes === null
      ? undefined
      : openHistory({ path: join(root, 'metrics.db'), maxBytes: options.historyBytes, clock, log })
  if (history !== undefined) undo.use(history)
  const links = askedOnce(() => host.links.allCounters(), clock)
  registry.source(hostSource(linuxMachine(host.mounts), host, links))
  registry.source(daemonSource({ clock, startedAtMs: clock.nowMs(), files: filesOf(root) }))
  registry.source(containerSource({ ...needs, ...engine, host, links }))
  registry.source(serviceSource(cluster))
  registry.source(routeSource(cluster.router))
  registry.source(contentSource({ engine, garbage: needs.garbage, certificates: cluster.certificates }))
  undo.use(countCluster(cluster.mirror, registry, clock))
  undo.use(countEvents(engine.events, registry))
  if (history !== undefined) registry.source(historySource(history))
  const lateness = registry.histogram(
    { name: 'glovebox_daemon_timer_lateness_seconds', help: 'How late a timer of the daemon fired.', labels: [], isKept: true },
    LATENESS_BOUNDS_S,
  )
  const takers: ((atMs: number, reading: Reading) => void)[] = []
  if (history !== undefined) takers.push((atMs, { families }) => history.append(atMs, families))
  if (options.remoteWrite !== undefined) {
    const remote = undo.use(
      startRemoteWrite({
        post: postMetrics(options.remoteWrite),
        clock,
        log,
        registry,
        external: { job: 'glovebox', instance: hostname() },
      }),
    )
    takers.push((atMs, reading) => remote.offer(atMs, reading))
  }
  const wish = options.remoteWrite === undefined ? 'history' : 'all'
  if (takers.length > 0) undo.use(startSampler({ clock, log, read: async () => await registry.read(wish, 0), takers, lateness }))
  const scraping = createScraping({
    candidates: () => candidatesOf(engine.containers.list()),
    fetch: fetchFromInside({ ...engine, host }),
    clock,
    registry,
  })
  const api = metricsApi(
    {
      own: async () => (await registry.read('all', FRESH_MS)).families,
      services: async (timeoutMs) => await scraping.scrape(timeoutMs),
    },
    log,
  )
  if (options.listen !== undefined) {
    const listener = await serveTcp({ ...options.listen, api, clock, log })
    undo.defer(async () => await listener.close())
    log.info('metrics are told', { address: listener.path })
    if (!isLoopback(options.listen.host))
      log.warn('metrics are told to other machines, without encryption', { address: listener.path })
  }
  const owned = undo.move()
  return { api, port: portOf(history, scraping, clock), [Symbol.asyncDispose]: async () => await owned.disposeAsync() }
}

function candidatesOf(records: readonly ContainerRecord[]): readonly Candidate[] {
  return records
    .filter(({ status }) => status.pid !== 0)
    .map((record) => ({
      containerId: record.id,
      names: toldNames(containerNames(record)),
      labels: record.spec.labels,
      exposedPorts: record.spec.exposedPorts,
    }))
}

/** Two who look within one reading look at the same. */
function askedOnce<T>(ask: () => T, clock: Clock): () => T {
  let last: { readonly atMs: number; readonly answer: T } | undefined
  return () => {
    const nowMs = clock.monotonicMs()
    if (last === undefined || nowMs - last.atMs > ASKED_ONCE_MS) last = { atMs: nowMs, answer: ask() }
    return last.answer
  }
}

const ASKED_ONCE_MS = 500

function filesOf(root: string): Readonly<Record<string, string>> {
  return { node: join(root, 'state.db'), cluster: join(root, 'cluster.db'), metrics: join(root, 'metrics.db') }
}

const HOUR_MS = 3_600_000
const STEP_S = 60

/** The history as the API asks for it. */
function portOf(history: History | undefined, scraping: Scraping, clock: Clock): MetricsPort {
  const there = () => {
    if (history !== undefined) return history
    throw historyError('history.off', 'no history of metrics is kept', {
      hint: 'Start the daemon without --metrics-history off.',
    })
  }
  return {
    range: async (query) => {
      const toMs = query.toMs ?? clock.nowMs()
      return await there().range({ stepS: STEP_S, ...query, toMs, fromMs: query.fromMs ?? toMs - HOUR_MS })
    },
    series: (selector) => there().series(selector),
    targets: () => scraping.targets(),
  }
}
