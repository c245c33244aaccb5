import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { keyedLocks, newId, systemRandom, type Clock, type Log } from '#base'
import type { DockerApiEngine } from '#api/docker'
import { createArchives, resumePaused } from '#engine/archives'
import { createBuilder } from '#engine/builder'
import { openImageUse, type ImageUse } from '#engine/collection'
import { createKeptContexts, type KeptContexts } from '#engine/builder/kept-context'
import { createContainers, runtimeStateRoot, type ContainersService } from '#engine/containers'
import { createContent } from '#engine/content'
import { createEvents, type Events } from '#engine/events'
import { createImages, type Images } from '#engine/images'
import { createNetworks, type Networks } from '#engine/network'
import { createRegistries, type OwnRegistry, type Registries } from '#engine/registry'
import { shimRuntime } from '#engine/runtime'
import { openSnapshots, type DriverChoice, type Snapshots } from '#engine/snapshots'
import { openStore, type OpenStore } from '#engine/store'
import { createVolumes, type Volumes } from '#engine/volumes'
import type { Host } from '#host'

import type { DaemonOptions } from './arguments.ts'
import { buildPorts, cachedLayers } from './building/build-ports.ts'
import { countedBuilds, type CountedBuilder } from './building/counted-builds.ts'
import { tellingBuilt } from './building/tell-built.ts'
import { noteImageUse } from './note-image-use.ts'
import { contentTellingDiskFull, snapshotsTellingDiskFull } from './disk-full.ts'
import { findProgram } from './programs.ts'
import { daemonError } from './errors.ts'
import type { Failpoints } from './failpoints/failpoints.ts'
import { registriesNow, type Settings } from './settings/settings.ts'
import { remapUsers } from './remap/user-remap.ts'
import { shimPath } from './shim-path.ts'
import { engineSystem } from './system.ts'
import { tellOfVolumes } from './volume-events.ts'
import { openFailedPulls } from './why/failed-pulls.ts'
import { openWitness, type Witness } from './why/witness.ts'

export interface EngineNeeds extends DaemonOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Log
  readonly host: Host
  readonly failpoints: Failpoints
  /** Somebody will say what services there are: names wait for that. */
  readonly awaitsServices?: boolean
  /** The registry that this daemon serves, once it does. */
  readonly ownRegistry?: () => OwnRegistry | undefined
}

/** One machine's engine, recovered and ready. */
export interface Engine extends AsyncDisposable {
  readonly store: OpenStore
  readonly containers: ContainersService
  readonly images: Images
  readonly networks: Networks
  readonly volumes: Volumes
  readonly snapshots: Snapshots
  readonly driver: DriverChoice
  readonly events: Events
  readonly registries: Registries
  /** Build contexts that stay between builds. */
  readonly contexts: KeptContexts
  readonly builder: CountedBuilder
  readonly imageUse: ImageUse
  /** Notes what only shows while it happens. */
  readonly witness: Witness
  readonly docker: DockerApiEngine
}

export async function openEngine(needs: EngineNeeds): Promise<Engine> {
  const { root, runDir, instance, clock, log, host, failpoints, settings } = needs
  await using undo = new AsyncDisposableStack()
  const random = systemRandom()
  const remapped = needs.usernsRemap === undefined ? undefined : remapUsers(needs.usernsRemap, host)
  const temporary = join(root, 'tmp')
  const store = failpoints.records(undo.use(openStore(join(root, 'state.db'))))
  const events = failpoints.events(createEvents(clock))
  const { snapshots: opened, choice } = await openSnapshots({
    root: join(root, 'snapshots'),
    host,
    log,
    kernelRelease: host.kernel.facts().release,
    ...(needs.layers === undefined ? {} : { wanted: needs.layers }),
  })
  const snapshots = snapshotsTellingDiskFull(failpoints.port('snapshots', opened), events)
  // Not before views that a killed daemon left mounted here are gone.
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary, { recursive: true, mode: 0o700 })
  const content = failpoints.port('content', contentTellingDiskFull(createContent({ root }), events))
  const ociRuntimePath = mustFind('crun')
  const runtime = failpoints.port(
    'runtime',
    shimRuntime({
      shimPath: shimPath(),
      runtime: { path: ociRuntimePath, stateRoot: runtimeStateRoot({ runDir }) },
      socketPath: join(runDir, 'spawn.sock'),
      filterDir: join(runDir, 'seccomp'),
      clock,
    }),
  )
  undo.defer(() => runtime.close())
  const usersOf = () => containers.list()
  const images = createImages({
    root,
    records: store,
    content,
    snapshots,
    events,
    clock,
    log,
    keptLayers: () => cachedLayers(store),
    isInUse: (id) =>
      usersOf()
        .filter((container) => container.spec.imageId === id)
        .map((container) => ({ name: container.name, isRunning: container.status.pid !== 0 })),
  })
  const volumes = createVolumes({
    root,
    records: store,
    clock,
    random,
    events,
    log,
    host,
    usersOf: (name) => usersOfVolume(containers, name).map((container) => container.name),
    runningUsersOf: (name) =>
      usersOfVolume(containers, name)
        .filter(({ status }) => status.pid !== 0)
        .map((container) => container.name),
  })
  const networks = createNetworks({
    instance,
    runDir,
    host: remapped?.host ?? host,
    records: store,
    clock,
    random,
    log,
    addressPools: needs.addressPools,
    awaitsServices: needs.awaitsServices ?? false,
    onEvent: (action, { id, name, driver }) =>
      events.publish({ type: 'network', action, actorId: id, attributes: { name, type: driver } }),
  })
  undo.defer(async () => await networks.shutdown({ remove: false }))
  const containers: ContainersService = createContainers({
    root,
    runDir,
    instance,
    clock,
    random,
    log,
    records: store,
    host,
    images,
    snapshots,
    networks,
    volumes,
    runtime,
    events,
    initPath: shimPath(),
    defaultLog: () => settings.current().containerLog,
    ...(remapped === undefined ? {} : { remap: remapped.remap }),
  })
  const pulls = openFailedPulls(clock)
  const witness = undo.use(openWitness({ root, runDir, instance, containers, networks, events, host, clock, pulls }))
  await images.recover()
  await volumes.recover()
  await containers.recover()
  await resumePaused({ records: store, containers }, log)
  const imageUse = openImageUse(store, clock)
  undo.use(noteImageUse(imageUse, { events, containers, images }))
  const own = needs.ownRegistry ?? (() => undefined)
  const registries = pulls.noting(
    createRegistries({ root, images, records: store, clock, random, options: registriesNow(settings), own }),
  )
  const contexts = createKeptContexts({ directory: join(root, 'contexts'), clock, random })
  const builder = countedBuilds(
    createBuilder(
      buildPorts({
        root,
        builds: needs.builds,
        content,
        contexts,
        images: tellingBuilt(images, events),
        registries,
        snapshots,
        containers,
        store,
        clock,
        random,
        log,
        locks: keyedLocks(),
        temporary,
        runDir,
        host,
        imageUse,
      }),
    ),
    clock,
  )
  const system = engineSystem({
    root,
    host,
    snapshots,
    ociRuntimePath,
    id: daemonId(store, random),
    eventListeners: () => events.subscribers(),
    settings: () => settings.current(),
  })
  undo.use(tellOfVolumes(events, containers))
  const archives = createArchives({ programPath: shimPath(), clock, records: store, host, containers, images, snapshots, events })
  const docker: DockerApiEngine = { containers, images, networks, volumes, events, system, archives, build: builder, registries }
  const owned = undo.move()
  return {
    store,
    containers,
    images,
    networks,
    volumes,
    snapshots,
    driver: choice,
    events,
    registries,
    contexts,
    builder,
    imageUse,
    witness,
    docker,
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  }
}

function usersOfVolume(containers: ContainersService, name: string) {
  return containers.list().filter(({ mounts }) => mounts.some((mount) => mount.type === 'volume' && mount.name === name))
}

function mustFind(program: string): string {
  const path = findProgram(program)
  if (path !== undefined) return path
  throw daemonError('daemon.program_missing', `${program} is not installed`, { hint: `On Debian: apt-get install ${program}` })
}

/** Made at the first start and kept. */
function daemonId(store: OpenStore, random: ReturnType<typeof systemRandom>): string {
  const table = store.table<string>('daemon')
  const known = table.get('id')
  if (known !== undefined) return known
  const id: string = newId(random)
  table.put('id', id)
  return id
}
