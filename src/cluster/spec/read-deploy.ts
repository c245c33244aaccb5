import type { Field } from './fields.ts'
import type { JobSpec, ServiceMode } from './mode-model.ts'
import type { RestartSpec } from './model.ts'
import type { PlacementConstraint, PlacementSpec } from './placement-model.ts'
import { PLAIN_ROLLOUT } from './plain-service.ts'
import type { RolloutSpec } from './rollout-model.ts'

export const DEPLOY_FIELDS: readonly string[] = [
  ...['mode', 'endpoint_mode', 'replicas', 'labels', 'rollback_config', 'update_config'],
  ...['resources', 'restart_policy', 'placement'],
]

/** One node runs some hundreds of containers; thousands of one service are a slip of the finger. */
const MAX_REPLICAS = 1000

/** An attempt may fail for a reason that passes; beyond these it will hardly come right by itself. */
const JOB_RETRIES = 3

export function readMode(deploy: Field): ServiceMode {
  return deploy.child('mode').oneOf(['replicated', 'global', 'replicated-job', 'global-job']) ?? 'replicated'
}

export function readReplicas(service: Field, deploy: Field, mode: ServiceMode): number {
  const scale = service.child('scale').whole({ max: MAX_REPLICAS })
  const replicas = deploy.child('replicas').whole({ max: MAX_REPLICAS })
  if (scale !== null && replicas !== null && scale !== replicas)
    service.child('scale').refuse(`${scale} contradicts "deploy.replicas" ${replicas}`)
  const isGlobal = mode === 'global' || mode === 'global-job'
  if (isGlobal && (replicas ?? scale) !== null) deploy.refuse(`"replicas" has no meaning with the mode ${mode}: one on each node`)
  return replicas ?? scale ?? 1
}

/** As many tasks as replicas, all at the same time, unless `x-glovebox` says otherwise. */
export function readJob(deploy: Field, mode: ServiceMode, replicas: number): JobSpec | null {
  if (mode !== 'replicated-job' && mode !== 'global-job') return null
  const policy = deploy.child('restart_policy')
  const isNever = policy.child('condition').text() === 'none'
  return {
    completions: replicas,
    parallelism: replicas,
    deadlineMs: null,
    retries: isNever ? 0 : (policy.child('max_attempts').whole() ?? JOB_RETRIES),
    schedule: null,
  }
}

const NODE_KEYS =
  /^(?:node\.(?:id|hostname|role|platform\.os|platform\.arch|labels\.[A-Za-z0-9._/-]+)|engine\.labels\.[A-Za-z0-9._/-]+)$/

export function readPlacement(service: Field, deploy: Field): PlacementSpec {
  const placement = deploy.child('placement')
  placement.only(['constraints', 'preferences', 'max_replicas_per_node'])
  const preferences = placement
    .child('preferences')
    .items()
    .flatMap((item) => {
      item.only(['spread'])
      const spread = item.child('spread').text()
      return spread === null ? [] : [{ spread }]
    })
  return {
    constraints: placement.child('constraints').items().flatMap(readConstraint),
    preferences,
    maxReplicasPerNode: placement.child('max_replicas_per_node').whole() ?? 0,
    affinities: [],
    priority: 0,
    platforms: readPlatform(service.child('platform')),
  }
}

function readConstraint(item: Field): readonly PlacementConstraint[] {
  const match = /^\s*([\w./-]+)\s*(==|!=)\s*(\S.*?)\s*$/.exec(item.text() ?? '')
  const [, key = '', operator, value = ''] = match ?? []
  if (NODE_KEYS.test(key) && (operator === '==' || operator === '!=')) return [{ key, operator, value }]
  item.refuse(
    `constraint ${JSON.stringify(item.value)} is not KEY==VALUE or KEY!=VALUE with node.id, node.hostname, node.role, node.platform.os, node.platform.arch, node.labels.… or engine.labels.…`,
  )
  return []
}

/** `linux/amd64`, `linux/arm/v7`, or an architecture alone. */
function readPlatform(platform: Field): PlacementSpec['platforms'] {
  const text = platform.text()
  if (text === null) return []
  const parts = text.split('/')
  const [os = '', architecture = ''] = parts.length === 1 ? ['linux', parts[0]] : parts
  if (os !== 'linux' || architecture === '' || parts.length > 3) {
    platform.refuse(`platform ${JSON.stringify(text)} is not linux/ARCHITECTURE[/VARIANT]`)
    return []
  }
  return [{ os, architecture }]
}

/** `update_config` or `rollback_config`. */
export function readRollout(config: Field, actions: readonly RolloutSpec['failureAction'][]): RolloutSpec {
  config.only(['parallelism', 'delay', 'failure_action', 'monitor', 'max_failure_ratio', 'order'])
  const ratio = config.child('max_failure_ratio').decimal()
  if (ratio !== null && (ratio < 0 || ratio > 1)) config.child('max_failure_ratio').refuse(`${ratio} is not from 0 to 1`)
  return {
    ...PLAIN_ROLLOUT,
    parallelism: config.child('parallelism').whole() ?? PLAIN_ROLLOUT.parallelism,
    delayMs: config.child('delay').durationMs() ?? PLAIN_ROLLOUT.delayMs,
    order: config.child('order').oneOf(['start-first', 'stop-first']) ?? PLAIN_ROLLOUT.order,
    monitorMs: config.child('monitor').durationMs() ?? PLAIN_ROLLOUT.monitorMs,
    failureAction: config.child('failure_action').oneOf(actions) ?? PLAIN_ROLLOUT.failureAction,
    maxFailureRatio: ratio ?? PLAIN_ROLLOUT.maxFailureRatio,
  }
}

/** A service that says nothing is kept running, unless others wait for its end: then it is only tried again when it fails. */
export function readRestart(service: Field, policy: Field, isAwaited: boolean): RestartSpec {
  policy.only(['condition', 'delay', 'max_attempts', 'window'])
  const restart = service.child('restart')
  const delayMs = policy.child('delay').durationMs() ?? 0
  const windowMs = policy.child('window').durationMs()
  const window = windowMs === null ? {} : { windowMs }
  if (policy.isPresent) {
    const named = policy.child('condition').oneOf(['none', 'on-failure', 'any']) ?? 'any'
    const condition = ({ none: 'never', 'on-failure': 'on-failure', any: 'always' } as const)[named]
    return { condition, maxAttempts: policy.child('max_attempts').whole() ?? 0, delayMs, ...window }
  }
  const text = restart.text()
  const match = /^(no|false|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(text ?? '')
  if (text === null) return { condition: isAwaited ? 'on-failure' : 'always', maxAttempts: 0, delayMs }
  if (match === null || (match[2] !== undefined && match[1] !== 'on-failure')) {
    restart.refuse(`"restart" must be no, always, unless-stopped, on-failure or on-failure:N, not ${JSON.stringify(text)}`)
  }
  const condition =
    match?.[1] === 'on-failure' ? 'on-failure' : match?.[1] === 'no' || match?.[1] === 'false' ? 'never' : 'always'
  return { condition, maxAttempts: Number(match?.[2] ?? 0), delayMs }
}
