import { PLAIN_SERVICE, type RestartSpec, type RolloutSpec } from '#cluster/spec'

import { dockerError } from '../errors.ts'
import type { Reader } from '../translate/read.ts'
import { decimal, millis } from './read-number.ts'

const ACTIONS = ['pause', 'continue', 'rollback'] as const
const ORDERS = ['stop-first', 'start-first'] as const
/** Swarm mode's own. */
const DEFAULT_RESTART_DELAY_MS = 5000

/** UpdateConfig and RollbackConfig; null: swarm mode's defaults. */
export function rolloutOf(config: Reader | null): RolloutSpec {
  const plain: RolloutSpec = { ...PLAIN_SERVICE.update, order: 'stop-first' }
  if (config === null) return plain
  const maxFailureRatio = decimal(config, 'MaxFailureRatio') ?? 0
  if (maxFailureRatio < 0 || maxFailureRatio > 1)
    throw dockerError('docker.field_invalid', `${config.at}.MaxFailureRatio: ${maxFailureRatio} is not between 0 and 1`)
  return {
    ...plain,
    parallelism: config.int('Parallelism') ?? 0,
    delayMs: millis(config, 'Delay') ?? 0,
    failureAction: oneOf(config, 'FailureAction', ACTIONS) ?? plain.failureAction,
    order: oneOf(config, 'Order', ORDERS) ?? 'stop-first',
    monitorMs: millis(config, 'Monitor') || plain.monitorMs,
    maxFailureRatio,
  }
}

const CONDITIONS = { none: 'never', 'on-failure': 'on-failure', any: 'always' } as const

/** Jobs are tried again when they fail, other services always. */
export function restartOf(policy: Reader | null, isJob: boolean): RestartSpec {
  const condition = policy === null ? null : oneOf(policy, 'Condition', ['none', 'on-failure', 'any'] as const)
  if (isJob && condition === 'any')
    throw dockerError('docker.field_invalid', 'RestartPolicy.Condition: "any" is not for jobs, which are meant to end')
  return {
    condition: CONDITIONS[condition ?? (isJob ? 'on-failure' : 'any')],
    maxAttempts: policy?.int('MaxAttempts') ?? 0,
    delayMs: (policy === null ? null : millis(policy, 'Delay')) ?? DEFAULT_RESTART_DELAY_MS,
    ...windowOf(policy),
  }
}

function windowOf(policy: Reader | null): Pick<RestartSpec, 'windowMs'> {
  const windowMs = policy === null ? null : millis(policy, 'Window')
  return windowMs === null || windowMs === 0 ? {} : { windowMs }
}

export function oneOf<T extends string>(from: Reader, name: string, known: readonly T[]): T | null {
  const text = from.text(name)
  if (text === '') return null
  const found = known.find((one) => one === text)
  if (found === undefined)
    throw dockerError('docker.field_invalid', `${from.at}.${name}: ${JSON.stringify(text)} is none of ${known.join(', ')}`)
  return found
}
