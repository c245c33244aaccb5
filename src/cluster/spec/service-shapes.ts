import type { JobSpec, ScheduleSpec } from './mode-model.ts'
import type { ServiceSpec } from './model.ts'
import type { AffinitySpec, PlacementConstraint, PlacementSpec } from './placement-model.ts'
import type { CanarySpec, CanaryStep, CheckSpec, ChecksSpec, ProbeSpec, RolloutSpec } from './rollout-model.ts'
import type { KeyedSecretSpec, SecretMountSpec } from './secret-model.ts'
import {
  aDuration,
  aFlag,
  aNumber,
  aText,
  aWhole,
  listOf,
  objectOf,
  oneOf,
  orNull,
  pairOf,
  type Shape,
  textMap,
  texts,
  variantsOf,
} from './shapes.ts'

/** Constraints, steps, secrets of one service: nobody writes more by hand. */
const MAX_PARTS = 200
const MAX_PORT = 65_535
const MAX_ID = 4_294_967_294

const schedule = objectOf<ScheduleSpec>({
  cron: aText,
  timeZone: aText,
  concurrency: oneOf('allow', 'forbid', 'replace'),
  startingDeadlineMs: orNull(aDuration),
  isSuspended: aFlag,
  keepSucceeded: aWhole(0, 1000),
  keepFailed: aWhole(0, 1000),
})

const job = objectOf<JobSpec>({
  completions: aWhole(0, 100_000),
  parallelism: aWhole(0, 100_000),
  deadlineMs: orNull(aDuration),
  retries: aWhole(0),
  schedule: orNull(schedule),
})

const placement = objectOf<PlacementSpec>({
  constraints: listOf(objectOf<PlacementConstraint>({ key: aText, operator: oneOf('==', '!='), value: aText }), MAX_PARTS),
  preferences: listOf(objectOf<PlacementSpec['preferences'][number]>({ spread: aText }), MAX_PARTS),
  maxReplicasPerNode: aWhole(0),
  affinities: listOf(
    objectOf<AffinitySpec>({ type: oneOf('affinity', 'anti-affinity'), service: aText, topology: aText, isRequired: aFlag }),
    MAX_PARTS,
  ),
  priority: aWhole(-1_000_000, 1_000_000),
  platforms: listOf(objectOf<PlacementSpec['platforms'][number]>({ os: aText, architecture: aText }), MAX_PARTS),
})

const canary = objectOf<CanarySpec>({
  steps: listOf(objectOf<CanaryStep>({ weightPercent: aNumber(0, 100), holdMs: aDuration }), MAX_PARTS),
  minRequests: aWhole(0),
  maxErrorRatio: aNumber(0, 1),
  latencyPercentile: aNumber(0, 1),
  maxLatencyRatio: aNumber(0, 1000),
  isPromotedByHand: aFlag,
})

const rollout = objectOf<RolloutSpec>({
  strategy: oneOf('rolling', 'blue-green', 'canary'),
  parallelism: aWhole(0),
  delayMs: aDuration,
  order: oneOf('auto', 'start-first', 'stop-first'),
  monitorMs: aDuration,
  failureAction: oneOf('rollback', 'pause', 'continue'),
  maxFailureRatio: aNumber(0, 1),
  canary: orNull(canary),
})

const probe = variantsOf<ProbeSpec>({
  http: objectOf<Extract<ProbeSpec, { type: 'http' }>>({
    type: oneOf('http'),
    port: aWhole(1, MAX_PORT),
    path: aText,
    host: orNull(aText),
    headers: textMap,
    statuses: pairOf(aWhole(100, 599)),
  }),
  tcp: objectOf<Extract<ProbeSpec, { type: 'tcp' }>>({ type: oneOf('tcp'), port: aWhole(1, MAX_PORT) }),
  command: objectOf<Extract<ProbeSpec, { type: 'command' }>>({ type: oneOf('command'), command: texts }),
})

const check = objectOf<CheckSpec>({
  probe,
  intervalMs: aDuration,
  timeoutMs: aDuration,
  failures: aWhole(1),
  successes: aWhole(1),
  initialDelayMs: aDuration,
})

const secretMount = objectOf<SecretMountSpec>({
  secret: aText,
  target: aText,
  uid: aWhole(0, MAX_ID),
  gid: aWhole(0, MAX_ID),
  mode: aWhole(0, 0o7777),
})

/** How a service is operated, beside what its tasks are made from. */
export const operation: {
  readonly [K in 'mode' | 'job' | 'labels' | 'placement' | 'update' | 'rollback' | 'checks' | 'secrets' | 'configs']: Shape<
    ServiceSpec[K]
  >
} = {
  mode: oneOf('replicated', 'global', 'replicated-job', 'global-job'),
  job: orNull(job),
  labels: textMap,
  placement,
  update: rollout,
  rollback: rollout,
  checks: objectOf<ChecksSpec>({ startup: orNull(check), readiness: orNull(check), liveness: orNull(check) }),
  secrets: listOf(secretMount, MAX_PARTS),
  configs: listOf(secretMount, MAX_PARTS),
}

/** Of the stack. */
export const keyedSecret = objectOf<KeyedSecretSpec>({ key: aText, name: aText, isExternal: aFlag, labels: textMap })
