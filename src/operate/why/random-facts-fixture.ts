import fc from 'fast-check'

import type { WhyFacts } from './facts.ts'

const few = { maxLength: 4 }
const id = fc.constantFrom('a1b2c3', 'd4e5f6', 'g7h8i9', 'j0k1l2')
const name = fc.constantFrom('web', 'db', 'cache', 'shop')
const ms = fc.integer({ min: 0, max: 2_000_000_000_000 })
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null })
const bytes = fc.nat({ max: 2 ** 40 })
/** What others say: anything, and the words that are looked for. */
const text = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'exec: "x": executable file not found in $PATH: y',
    'Bind for 0.0.0.0:80 failed: port is already allocated (tcp, a process of this host has it)',
    'port 80 on 0.0.0.0 is in use by nginx (process 12)',
    'is unhealthy: no',
    'failed its liveness check: HTTP 500',
    'has not passed its readiness check: HTTP 503',
    'has not passed its start-up check yet',
    'waits for service db to be healthy',
    'the canary has 10 % of the traffic: 0 of the 5 requests that a judgement needs',
    'write: no space left on device',
    'Read-only file system',
    'bad address',
    'was missed by 3 s',
  ),
)

const service = fc.record({
  id,
  name,
  shortName: name,
  stack: orNull(name),
  image: name,
  imageId: orNull(id),
  isJob: fc.boolean(),
  state: fc.constantFrom('active', 'paused', 'removing'),
  desiredTasks: fc.nat({ max: 3 }),
  runningTasks: fc.nat({ max: 3 }),
  readyTasks: fc.nat({ max: 3 }),
  revision: fc.nat(),
  waits: fc.array(fc.record({ reason: text, isHopeless: fc.boolean(), taskId: orNull(id) }), few),
  dependsOn: fc.array(fc.record({ service: name, condition: fc.constantFrom('started', 'healthy') }), few),
  rollout: orNull(
    fc.record({
      from: orNull(fc.nat()),
      to: fc.nat(),
      state: fc.constantFrom('running', 'paused', 'completed', 'failed', 'rolling-back', 'rolled-back', 'aborted'),
      reason: text,
      startedAtMs: ms,
      endedAtMs: orNull(ms),
      stepStartedAtMs: ms,
      weightPercent: orNull(fc.nat({ max: 100 })),
      judgement: orNull(fc.record({ verdict: fc.constantFrom('good', 'bad', 'too-little'), reason: text })),
    }),
  ),
  runs: fc.array(
    fc.record({
      id,
      state: fc.constantFrom('running', 'succeeded', 'failed', 'cancelled'),
      reason: text,
      createdAtMs: ms,
      endedAtMs: orNull(ms),
    }),
    few,
  ),
  schedule: orNull(
    fc.record({ cron: text, isSuspended: fc.boolean(), missed: fc.nat(), skipped: fc.nat(), note: text, updatedAtMs: ms }),
  ),
  checks: fc.record({ startup: text, readiness: text }, { requiredKeys: [] }),
} as const)

const task = fc.record({
  id,
  name: fc.constantFrom('web.1', 'web.2', 'db.1'),
  serviceId: id,
  seat: fc.constantFrom('slot 1', 'slot 2'),
  runId: orNull(id),
  state: fc.constantFrom(
    'new',
    'pending',
    'assigned',
    'preparing',
    'ready',
    'starting',
    'running',
    'complete',
    'failed',
    'rejected',
  ),
  desiredState: fc.constantFrom('ready', 'running', 'shutdown', 'remove'),
  isEnded: fc.boolean(),
  isReady: fc.boolean(),
  sinceMs: ms,
  createdAtMs: ms,
  startedAtMs: orNull(ms),
  startAfterMs: ms,
  failures: fc.nat({ max: 9 }),
  message: text,
  error: text,
  exitCode: orNull(fc.integer({ min: 0, max: 255 })),
  isOomKilled: fc.boolean(),
  health: orNull(fc.constantFrom('starting', 'healthy', 'unhealthy')),
  healthOutput: text,
  containerId: orNull(id),
  nodeId: orNull(id),
  refusals: fc.array(
    fc.record({ filter: fc.constantFrom('cpu', 'host-port', 'else'), nodes: fc.nat(), reason: text, advice: text }),
    few,
  ),
} as const)

const container = fc.record({
  id,
  name,
  image: name,
  taskId: orNull(id),
  state: fc.constantFrom('created', 'running', 'paused', 'restarting', 'exited', 'removing', 'dead'),
  command: text,
  exitCode: fc.integer({ min: 0, max: 255 }),
  error: text,
  isOomKilled: fc.boolean(),
  isStoppedByHand: fc.boolean(),
  createdAtMs: ms,
  startedAtMs: orNull(ms),
  finishedAtMs: orNull(ms),
  restartPolicy: fc.constantFrom('no', 'always', 'unless-stopped', 'on-failure'),
  restarts: fc.nat({ max: 9 }),
  isReadOnlyRoot: fc.boolean(),
  health: orNull(
    fc.record({
      status: fc.constantFrom('starting', 'healthy', 'unhealthy'),
      failingStreak: fc.nat(),
      test: text,
      last: orNull(fc.record({ exitCode: fc.integer(), output: text })),
    }),
  ),
  memory: fc.record({
    limitBytes: orNull(bytes),
    peakBytes: orNull(bytes),
    kills: fc.nat({ max: 2 }),
    samples: fc.array(fc.record({ atMs: ms, bytes }), { maxLength: 9 }),
  }),
  lastLines: fc.array(text, few),
  mounts: fc.array(
    fc.record({
      type: fc.constantFrom('bind', 'volume'),
      source: text,
      target: text,
      isThere: fc.boolean(),
      availableBytes: orNull(bytes),
      totalBytes: orNull(bytes),
    }),
    few,
  ),
} as const)

/** Anything that has the shape of facts, also what cannot be. */
export const anyFacts: fc.Arbitrary<WhyFacts> = fc.record({
  nowMs: ms,
  services: fc.array(service, few),
  tasks: fc.array(task, { maxLength: 6 }),
  containers: fc.array(container, { maxLength: 6 }),
  nodes: fc.array(
    fc.record({
      id,
      hostname: name,
      availability: fc.constantFrom('active', 'pause', 'drain'),
      state: fc.constantFrom('unknown', 'ready', 'down', 'disconnected'),
      sinceMs: ms,
      message: text,
    } as const),
    few,
  ),
  images: fc.array(fc.record({ id, names: fc.array(name, few) }), few),
  pulls: fc.array(
    fc.record({
      image: name,
      atMs: ms,
      code: fc.constantFrom('registry.unreachable', 'registry.denied', 'internal'),
      message: text,
      hint: text,
    }),
    few,
  ),
  routes: fc.array(
    fc.record({
      id: name,
      hostIp: fc.constantFrom('', '127.0.0.1'),
      hostPort: fc.nat({ max: 65_535 }),
      hosts: fc.array(name, few),
      path: fc.constantFrom('', '/', '/api'),
      certificate: orNull(fc.constantFrom('own', 'acme')),
      problem: orNull(text),
      backends: fc.array(
        fc.record({ isUp: fc.boolean(), state: fc.constantFrom('ready', 'draining', 'maintenance') } as const),
        few,
      ),
      serviceId: orNull(id),
      unanswered: fc.nat(),
    }),
    few,
  ),
  names: fc.array(
    fc.record({
      containerId: id,
      name: fc.constantFrom('wb', 'x.example'),
      kind: fc.constantFrom('unknown', 'silent'),
      times: fc.nat(),
      lastAtMs: ms,
      known: fc.array(name, few),
    } as const),
    few,
  ),
  refused: fc.array(fc.record({ from: name, to: name, protocol: name, port: fc.nat(), packets: fc.nat(), rule: text }), few),
  pools: fc.record({ total: fc.nat({ max: 3 }), used: fc.nat({ max: 3 }), ranges: fc.array(text, few) }),
  slowEnds: fc.array(
    fc.record({
      containerId: id,
      containerName: name,
      serviceId: orNull(id),
      taskName: orNull(name),
      atMs: ms,
      graceMs: ms,
      signal: name,
    }),
    few,
  ),
  host: fc.record({
    nodeId: id,
    disks: fc.array(fc.record({ path: name, what: name, availableBytes: bytes, totalBytes: bytes }), few),
    memoryBytes: bytes,
    availableMemoryBytes: bytes,
    knownPastMs: orNull(ms),
  }),
})
