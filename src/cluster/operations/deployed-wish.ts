import type { RevisionRecord, ServiceRecord } from '#cluster/model'
import type { ServiceWish } from '#cluster/services'
import type { CanarySpec, RolloutSpec, ServiceSpec } from '#cluster/spec'

import { operationError } from './errors.ts'
import type { DeployWish } from './verb.ts'

/** Of a canary that nobody described: a tenth of the requests, then half of them, each for a minute. */
const PLAIN_CANARY: CanarySpec = {
  steps: [
    { weightPercent: 10, holdMs: 60_000 },
    { weightPercent: 50, holdMs: 60_000 },
  ],
  minRequests: 100,
  maxErrorRatio: 0.01,
  latencyPercentile: 0.95,
  maxLatencyRatio: 1.5,
  isPromotedByHand: false,
}

export interface Deployed {
  readonly record: ServiceRecord
  readonly revision: RevisionRecord
  readonly deploy: DeployWish
  /** Of the image that is asked for; null: it is not here. */
  readonly imageId: string | null
  readonly by: string
}

/** The wish of a service with some of it changed; what it was scaled to stays. Pure. */
export function deployedWish({ record, revision, deploy, imageId, by }: Deployed): ServiceWish {
  const { spec, parts } = revision
  if (deploy.replicas !== undefined && spec.mode !== 'replicated')
    throw operationError('operation.invalid', `service ${record.name} is ${spec.mode}: it has no replicas to set`)
  const task = {
    ...spec.task,
    image: deploy.image ?? spec.task.image,
    environment: withVariables(spec.task.environment, deploy.environment ?? {}),
  }
  const forced = (revision.forced ?? 0) + (deploy.isForced === true ? 1 : 0)
  return {
    name: record.name,
    stack: record.stack,
    labels: record.labels,
    spec: { ...spec, task, replicas: deploy.replicas ?? record.replicas, update: rolloutOf(spec, deploy.rollout ?? {}) },
    parts,
    imageId: deploy.image === undefined ? revision.imageId : imageId,
    by,
    ...(forced === 0 ? {} : { forced }),
  }
}

/** The wish of an earlier revision. */
export function wishOfRevision({ name, stack, labels }: ServiceRecord, revision: RevisionRecord, by: string): ServiceWish {
  const { spec, parts, imageId, forced } = revision
  return { name, stack, labels, spec, parts, imageId, by, ...(forced === undefined ? {} : { forced }) }
}

function withVariables(
  before: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const variables = new Map(Object.entries(before))
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) variables.delete(name)
    else variables.set(name, value)
  }
  return Object.fromEntries(variables)
}

function rolloutOf({ update }: ServiceSpec, change: Partial<RolloutSpec>): RolloutSpec {
  const next = { ...update, ...change }
  if (next.strategy !== 'canary') return { ...next, canary: null }
  return { ...next, canary: change.canary ?? update.canary ?? PLAIN_CANARY }
}
