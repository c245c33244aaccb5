import type { DockerRoute, RouteHandle } from '../call.ts'
import { attachContainer } from './containers-attach.ts'
import { createContainer } from './containers-create.ts'
import * as life from './containers-life.ts'
import * as execs from './execs.ts'
import { swarmRoutes } from '../swarm/table.ts'
import { noPlugins, ping, refused } from './system.ts'

/** Loaded on first use: the daemon starts without them, and most processes never need them all. */
function late<M>(load: () => Promise<M>, pick: (module: M) => RouteHandle): RouteHandle {
  return async (call, context) => {
    await pick(await load())(call, context)
  }
}

const facts = (pick: (module: typeof import('./system-facts.ts')) => RouteHandle) => late(() => import('./system-facts.ts'), pick)
const reads = (pick: (module: typeof import('./containers-read.ts')) => RouteHandle) =>
  late(() => import('./containers-read.ts'), pick)
const images = (pick: (module: typeof import('./images-read.ts')) => RouteHandle) => late(() => import('./images-read.ts'), pick)
const registries = (pick: (module: typeof import('./registries.ts')) => RouteHandle) =>
  late(() => import('./registries.ts'), pick)
const imageWrites = (pick: (module: typeof import('./images-write.ts')) => RouteHandle) =>
  late(() => import('./images-write.ts'), pick)
const networks = (pick: (module: typeof import('./networks.ts')) => RouteHandle) => late(() => import('./networks.ts'), pick)
const volumes = (pick: (module: typeof import('./volumes.ts')) => RouteHandle) => late(() => import('./volumes.ts'), pick)
const prunes = (pick: (module: typeof import('./prune.ts')) => RouteHandle) => late(() => import('./prune.ts'), pick)
const archive = (pick: (module: typeof import('./archive.ts')) => RouteHandle) => late(() => import('./archive.ts'), pick)

const get = (path: string, handle: RouteHandle): DockerRoute => ({ method: 'GET', path, handle })
const post = (path: string, handle: RouteHandle): DockerRoute => ({ method: 'POST', path, handle })
const del = (path: string, handle: RouteHandle): DockerRoute => ({ method: 'DELETE', path, handle })

/** Every route of the API, exact paths before those with a wide parameter. */
export function dockerRoutes(): readonly DockerRoute[] {
  return [
    ...systemRoutes(),
    ...containerRoutes(),
    ...execRoutes(),
    ...imageRoutes(),
    ...networkRoutes(),
    ...volumeRoutes(),
    ...swarmRoutes(),
    ...refusedRoutes(),
  ]
}

function systemRoutes(): readonly DockerRoute[] {
  return [
    get('/_ping', ping),
    { method: 'HEAD', path: '/_ping', handle: ping },
    get(
      '/version',
      facts((module) => module.showVersion),
    ),
    get(
      '/info',
      facts((module) => module.showInfo),
    ),
    get(
      '/events',
      facts((module) => module.streamEvents),
    ),
    get(
      '/system/df',
      facts((module) => module.showDiskUsage),
    ),
    post(
      '/build',
      late(
        () => import('./build.ts'),
        (module) => module.build,
      ),
    ),
    post(
      '/build/prune',
      prunes((module) => module.pruneBuilds),
    ),
    post('/build/cancel', refused('BuildKit', 'A classic build ends when its connection is closed.')),
  ]
}

function containerRoutes(): readonly DockerRoute[] {
  return [
    get(
      '/containers/json',
      reads((module) => module.listContainers),
    ),
    post('/containers/create', createContainer),
    post(
      '/containers/prune',
      prunes((module) => module.pruneContainers),
    ),
    get(
      '/containers/{id}/json',
      reads((module) => module.inspectContainer),
    ),
    get(
      '/containers/{id}/top',
      reads((module) => module.topContainer),
    ),
    get(
      '/containers/{id}/changes',
      reads((module) => module.listChanges),
    ),
    get(
      '/containers/{id}/export',
      reads((module) => module.exportContainer),
    ),
    get(
      '/containers/{id}/logs',
      late(
        () => import('./containers-logs.ts'),
        (module) => module.streamLogs,
      ),
    ),
    get(
      '/containers/{id}/stats',
      late(
        () => import('./containers-stats.ts'),
        (module) => module.streamStats,
      ),
    ),
    post('/containers/{id}/start', life.startContainer),
    post('/containers/{id}/stop', life.stopContainer),
    post('/containers/{id}/restart', life.restartContainer),
    post('/containers/{id}/kill', life.killContainer),
    post('/containers/{id}/pause', life.pauseContainer),
    post('/containers/{id}/unpause', life.unpauseContainer),
    post('/containers/{id}/rename', life.renameContainer),
    post('/containers/{id}/update', life.updateContainer),
    post('/containers/{id}/resize', life.resizeContainer),
    post('/containers/{id}/wait', life.waitContainer),
    { ...post('/containers/{id}/attach', attachContainer), isHijacked: true },
    {
      ...get(
        '/containers/{id}/attach/ws',
        late(
          () => import('./attach-websocket.ts'),
          (module) => module.attachOverWebsocket,
        ),
      ),
      isHijacked: true,
    },
    { method: 'HEAD', path: '/containers/{id}/archive', handle: archive((module) => module.statArchive) },
    get(
      '/containers/{id}/archive',
      archive((module) => module.readArchive),
    ),
    { method: 'PUT', path: '/containers/{id}/archive', handle: archive((module) => module.writeArchive) },
    get('/containers/{id}/checkpoints', refused('listing checkpoints')),
    post('/containers/{id}/checkpoints', refused('freezing a container to a checkpoint')),
    del('/containers/{id}/checkpoints/{checkpoint}', refused('removing a checkpoint')),
    // A link is named as CONTAINER/ALIAS.
    del('/containers/{id...}', life.removeContainer),
  ]
}

function execRoutes(): readonly DockerRoute[] {
  return [
    post('/containers/{id}/exec', execs.createExec),
    { ...post('/exec/{id}/start', execs.startExec), isHijacked: true },
    post('/exec/{id}/resize', execs.resizeExec),
    get('/exec/{id}/json', execs.inspectExec),
  ]
}

function imageRoutes(): readonly DockerRoute[] {
  return [
    get(
      '/images/json',
      images((module) => module.listImages),
    ),
    get(
      '/images/get',
      images((module) => module.saveImages),
    ),
    get('/images/search', refused('searching registries', 'Name the image with its registry: docker pull REGISTRY/NAME:TAG.')),
    get('/images/{name...}/attestations', refused('showing attestations of an image')),
    post(
      '/images/create',
      imageWrites((module) => module.createImage),
    ),
    post(
      '/images/load',
      imageWrites((module) => module.loadImages),
    ),
    post(
      '/images/prune',
      prunes((module) => module.pruneImages),
    ),
    get(
      '/images/{name...}/json',
      images((module) => module.inspectImage),
    ),
    get(
      '/images/{name...}/history',
      images((module) => module.showHistory),
    ),
    get(
      '/images/{name...}/get',
      images((module) => module.saveImage),
    ),
    post(
      '/images/{name...}/tag',
      images((module) => module.tagImage),
    ),
    post(
      '/images/{name...}/push',
      registries((module) => module.pushImage),
    ),
    del(
      '/images/{name...}',
      images((module) => module.removeImage),
    ),
  ]
}

function networkRoutes(): readonly DockerRoute[] {
  return [
    get(
      '/networks',
      networks((module) => module.listNetworks),
    ),
    post(
      '/networks/create',
      networks((module) => module.createNetwork),
    ),
    post(
      '/networks/prune',
      prunes((module) => module.pruneNetworks),
    ),
    post(
      '/networks/{id}/connect',
      networks((module) => module.connectNetwork),
    ),
    post(
      '/networks/{id}/disconnect',
      networks((module) => module.disconnectNetwork),
    ),
    get(
      '/networks/{id}',
      networks((module) => module.inspectNetwork),
    ),
    del(
      '/networks/{id}',
      networks((module) => module.removeNetwork),
    ),
  ]
}

function volumeRoutes(): readonly DockerRoute[] {
  return [
    get(
      '/volumes',
      volumes((module) => module.listVolumes),
    ),
    post(
      '/volumes/create',
      volumes((module) => module.createVolume),
    ),
    post(
      '/volumes/prune',
      prunes((module) => module.pruneVolumes),
    ),
    get(
      '/volumes/{name}',
      volumes((module) => module.inspectVolume),
    ),
    { method: 'PUT', path: '/volumes/{name}', handle: refused('a cluster volume') },
    del(
      '/volumes/{name}',
      volumes((module) => module.removeVolume),
    ),
  ]
}

function refusedRoutes(): readonly DockerRoute[] {
  return [
    get('/plugins', noPlugins),
    get('/plugins/{rest...}', refused('plugins')),
    post('/plugins/{rest...}', refused('plugins')),
    del('/plugins/{rest...}', refused('plugins')),
    post(
      '/auth',
      registries((module) => module.signIn),
    ),
    post(
      '/commit',
      late(
        () => import('./commit.ts'),
        (module) => module.commitContainer,
      ),
    ),
    get(
      '/distribution/{name...}/json',
      registries((module) => module.inspectRemote),
    ),
    post('/session', refused('BuildKit', 'Set DOCKER_BUILDKIT=0.')),
    post('/grpc', refused('BuildKit', 'Set DOCKER_BUILDKIT=0.')),
  ]
}
