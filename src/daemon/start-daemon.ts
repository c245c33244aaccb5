import { mkdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'

import { systemRandom, type Clock, type Log } from '#base'
import { createDockerApi } from '#api/docker'
import { API_PREFIX, gloveboxApi, type GloveboxApi } from '#api/glovebox'
import type { MetricsApi } from '#api/metrics'
import type { HttpApi } from '#api/http'
import { linuxHost } from '#host'

import { openActors } from './actors.ts'
import { openClusterRecords } from './cluster-records.ts'
import { openCluster } from './cluster.ts'
import { openCollection } from './collection.ts'
import { openDashboard } from './dashboard/open-dashboard.ts'
import { openEngine } from './engine.ts'
import { daemonError } from './errors.ts'
import type { Failpoints } from './failpoints/failpoints.ts'
import { gloveboxPorts } from './glovebox-ports.ts'
import { listeners } from './listeners.ts'
import { countRequests } from './metrics/api-counts.ts'
import { openMetricRegistry, openMetrics } from './metrics/open-metrics.ts'
import { countedStore, countPlacing } from './metrics/store-counts.ts'
import { reloadSettings } from './settings/reload.ts'
import type { Settings } from './settings/settings.ts'
import { tellOfServices } from './swarm-events.ts'
import { openSwarm } from './swarm.ts'
import { openRegistry, type ServedRegistry } from './registry.ts'

export interface Daemon {
  /** Stops serving and lets go; containers go on for the next daemon. */
  leave(): Promise<void>
  /** Takes what has changed in its configuration file and can change while it runs. */
  reload(): void
  /** Resolves after `leave`, whoever called it. */
  readonly ended: Promise<void>
}

/** Wires everything together, recovers what a former daemon left, and serves. */
export async function startDaemon(
  settings: Settings,
  { clock, log, failpoints }: { clock: Clock; log: Log; failpoints: Failpoints },
): Promise<Daemon> {
  const options = settings.current()
  mkdirSync(options.root, { recursive: true, mode: 0o711 })
  mkdirSync(options.runDir, { recursive: true, mode: 0o711 })
  await using undo = new AsyncDisposableStack()
  const host = failpoints.host(undo.use(linuxHost({ clock, cgroupPath: `/glovebox/${options.instance}/own` })))
  undo.use(onlyOne(host.files.tryLock(join(options.root, 'daemon.lock')), options.root))
  // Only in a mount namespace of our own: the mask must not reach the host.
  if (host.namespaces.read(1)?.mnt !== host.namespaces.read(process.pid)?.mnt) host.cgroups.maskUnifiedControllers()
  const startedMs = clock.monotonicMs()
  const measured = openMetricRegistry({ clock, log })
  // Transfers begin after all of it is there.
  let served: ServedRegistry | undefined
  const engine = undo.use(
    await openEngine({
      ...options,
      settings,
      clock,
      log,
      host,
      failpoints,
      awaitsServices: true,
      ownRegistry: () => served?.own,
    }),
  )
  const registry = undo.use(await openRegistry({ ...options, clock, log, store: engine.store, registries: engine.registries }))
  served = registry
  const records = undo.use(openClusterRecords({ ...options, clock, counted: (store) => countedStore(store, measured, clock) }))
  const onPlaced = countPlacing(measured)
  const cluster = undo.use(
    await openCluster({ ...options, clock, log, host, engine, secrets: records.secrets, store: records.store, onPlaced }),
  )
  const collection = undo.use(openCollection({ root: options.root, settings, clock, log, host, engine, cluster }))
  const metrics = undo.use(await openMetrics({ ...options, clock, log, host, engine, cluster, garbage: collection, measured }))
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let leaving: Promise<void> | undefined
  const leave = async () => {
    leaving ??= stack.disposeAsync().then(end)
    await leaving
  }
  const actors = openActors(host)
  const swarm = openSwarm({ engine, cluster, secrets: records.secrets, clock, random: systemRandom(), actors })
  undo.use(tellOfServices(cluster.mirror, engine.events, () => swarm.current() !== null))
  const observe = countRequests(measured)
  const docker = createDockerApi({ engine: { ...engine.docker, swarm }, clock, log, observe })
  const dashboard = undo.use(openDashboard({ ...options, host, engine, cluster, actors, clock, log }))
  const ports = gloveboxPorts({
    ...options,
    clock,
    log,
    host,
    engine,
    cluster,
    records,
    actors,
    served: registry,
    garbage: collection,
    measured: metrics.port,
    dashboardPort: dashboard.port,
    leave: () => void leave(),
  })
  const ours = gloveboxApi(ports, { clock, observe })
  const maxOpenFiles = host.kernel.facts().rlimits['nofile']?.soft
  for (const serving of await listeners(options, { api: allApis(docker, ours, metrics.api), clock, log, maxOpenFiles }))
    undo.defer(async () => await serving.close())
  await dashboard.start({ docker, ours, operations: ports.operations })
  collection.start()
  failpoints.ready()
  const leavingSoon = new AbortController()
  const policies = engine.containers.startDue(leavingSoon.signal)
  undo.defer(async () => {
    leavingSoon.abort()
    await policies
  })
  log.info('ready', {
    socket: options.socketPath,
    root: options.root,
    afterMs: Math.round(clock.monotonicMs() - startedMs),
    layers: engine.snapshots.kind,
  })
  const stack = undo.move()
  return { leave, reload: () => reloadSettings(settings, { engine, collection, log }), ended }
}

function onlyOne(lock: Disposable | undefined, root: string): Disposable {
  if (lock !== undefined) return lock
  throw daemonError('daemon.already_running', `another daemon runs on ${root}`, {
    hint: 'Give this one its own --root and --run-dir, or stop the other.',
  })
}

/** Our own API, Docker's and the metrics share a socket: the path says whose a request is. */
function allApis(docker: HttpApi, ours: GloveboxApi, metrics: MetricsApi): HttpApi {
  return {
    ...docker,
    handleRequest: (request: IncomingMessage, response: ServerResponse) => {
      if (request.url?.startsWith(API_PREFIX) === true) void ours.handle(request, response)
      else if (metrics.isFor(request.url ?? '')) metrics.handleRequest(request, response)
      else docker.handleRequest(request, response)
    },
  }
}
