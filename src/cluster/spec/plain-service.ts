import type { ServiceSpec } from './model.ts'
import type { RolloutSpec } from './rollout-model.ts'

/** One task after the other, watched for a while; what fails stops it where it is. The figures are those of Docker's swarm mode but for the watch. */
export const PLAIN_ROLLOUT: RolloutSpec = {
  strategy: 'rolling',
  parallelism: 1,
  delayMs: 0,
  order: 'auto',
  monitorMs: 5000,
  failureAction: 'pause',
  maxFailureRatio: 0,
  canary: null,
}

/** What a service is that says nothing about how it is operated. */
export const PLAIN_SERVICE: Pick<
  ServiceSpec,
  'mode' | 'job' | 'labels' | 'placement' | 'update' | 'rollback' | 'checks' | 'secrets' | 'configs'
> = {
  mode: 'replicated',
  job: null,
  labels: {},
  placement: { constraints: [], preferences: [], maxReplicasPerNode: 0, affinities: [], priority: 0, platforms: [] },
  update: PLAIN_ROLLOUT,
  rollback: PLAIN_ROLLOUT,
  checks: { startup: null, readiness: null, liveness: null },
  secrets: [],
  configs: [],
}
