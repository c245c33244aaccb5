import type { ContainerFacts, RouteFacts, ServiceFacts, TaskFacts, WhyFacts } from './facts.ts'

/** Facts without fault, for tests to put one into. */
export const NOW_MS = Date.parse('2026-03-01T12:00:00Z')

export const web: ServiceFacts = {
  id: 'svc-web',
  name: 'shop_web',
  shortName: 'web',
  stack: 'shop',
  image: 'web:1',
  imageId: 'sha256:1',
  isJob: false,
  state: 'active',
  desiredTasks: 1,
  runningTasks: 1,
  readyTasks: 1,
  revision: 1,
  waits: [],
  dependsOn: [{ service: 'db', condition: 'healthy' }],
  rollout: null,
  runs: [],
  schedule: null,
  checks: {},
}

export const db: ServiceFacts = { ...web, id: 'svc-db', name: 'shop_db', shortName: 'db', image: 'db:1', dependsOn: [] }

export const webTask: TaskFacts = {
  id: 'task-web-1',
  name: 'web.1',
  serviceId: web.id,
  seat: 'slot 1',
  runId: null,
  state: 'running',
  desiredState: 'running',
  isEnded: false,
  isReady: true,
  sinceMs: NOW_MS - 60_000,
  createdAtMs: NOW_MS - 61_000,
  startedAtMs: NOW_MS - 60_000,
  startAfterMs: 0,
  failures: 0,
  message: 'runs',
  error: '',
  exitCode: null,
  isOomKilled: false,
  health: null,
  healthOutput: '',
  containerId: 'container-web-1',
  nodeId: 'node-1',
  refusals: [],
}

export const dbTask: TaskFacts = { ...webTask, id: 'task-db-1', name: 'db.1', serviceId: db.id, containerId: 'container-db-1' }

export const webContainer: ContainerFacts = {
  id: 'container-web-1',
  name: 'shop-web-1',
  image: 'web:1',
  taskId: webTask.id,
  state: 'running',
  command: 'serve --port 80',
  exitCode: 0,
  error: '',
  isOomKilled: false,
  isStoppedByHand: false,
  createdAtMs: NOW_MS - 61_000,
  startedAtMs: NOW_MS - 60_000,
  finishedAtMs: null,
  restartPolicy: 'no',
  restarts: 0,
  isReadOnlyRoot: false,
  health: null,
  memory: { limitBytes: null, peakBytes: null, kills: 0, samples: [] },
  lastLines: [],
  mounts: [],
}

export const dbContainer: ContainerFacts = {
  ...webContainer,
  id: 'container-db-1',
  name: 'shop-db-1',
  image: 'db:1',
  taskId: dbTask.id,
}
export const alone: ContainerFacts = {
  ...webContainer,
  id: 'container-tool',
  name: 'tool',
  image: 'tool:latest',
  taskId: null,
  command: 'tool',
}

export const webRoute: RouteFacts = {
  id: 'shop_web/8080',
  hostIp: '',
  hostPort: 8080,
  hosts: ['shop.example'],
  path: '/api',
  certificate: null,
  problem: null,
  backends: [{ isUp: true, state: 'ready' }],
  serviceId: web.id,
  unanswered: 0,
}

export const healthy: WhyFacts = {
  nowMs: NOW_MS,
  services: [web, db],
  tasks: [webTask, dbTask],
  containers: [webContainer, dbContainer, alone],
  nodes: [{ id: 'node-1', hostname: 'host1', availability: 'active', state: 'ready', sinceMs: NOW_MS - 600_000, message: '' }],
  images: [{ id: 'sha256:1', names: ['web:1'] }],
  pulls: [],
  routes: [webRoute],
  names: [],
  refused: [],
  pools: { total: 30, used: 2, ranges: ['14 networks of /16 from 172.18.0.0'] },
  slowEnds: [],
  host: {
    nodeId: 'node-1',
    disks: [
      {
        path: '/var/lib/glovebox',
        what: 'images, containers and volumes',
        availableBytes: 50 * 1024 ** 3,
        totalBytes: 100 * 1024 ** 3,
      },
    ],
    memoryBytes: 8 * 1024 ** 3,
    availableMemoryBytes: 4 * 1024 ** 3,
    knownPastMs: NOW_MS - 1_000_000,
  },
}
