import { isObject, type JsonObject } from '#api/http'
import { canonical } from '#cluster/model'
import type { ServiceWish } from '#cluster/services'
import type { RolloutSpec } from '#cluster/spec'

import { readerOf } from '../translate/read.ts'
import { rolloutOf } from './rollout-config.ts'

const NS_PER_MS = 1_000_000

/**
 * What a client of the Docker API said of a service, after somebody changed it another way: the client reads it, changes a field of its own and sends it all back, and
 * would take the change back otherwise. What Docker has no words for (a canary) is left out.
 */
export function restated(said: JsonObject, { spec, forced = 0 }: Pick<ServiceWish, 'spec' | 'forced'>): JsonObject {
  const task = inner(said, 'TaskTemplate')
  const container = inner(task, 'ContainerSpec')
  const { image, environment } = spec.task
  const Env = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const hasEnv = Env.length > 0 || container['Env'] !== undefined
  return {
    ...said,
    TaskTemplate: {
      ...task,
      ContainerSpec: { ...container, Image: image, ...(hasEnv ? { Env } : {}) },
      ForceUpdate: forced,
    },
    ...(spec.mode === 'replicated' ? { Mode: { Replicated: { Replicas: spec.replicas } } } : {}),
    ...updateConfig(said, spec.update),
  }
}

function updateConfig(said: JsonObject, update: RolloutSpec): JsonObject {
  const before = rolloutOf(readerOf(said).innerOrNull('UpdateConfig'))
  const { strategy: _strategy, canary: _canary, ...words } = update
  const { strategy: _old, canary: _none, ...known } = before
  if (canonical(words) === canonical(known)) return {}
  return {
    UpdateConfig: {
      ...inner(said, 'UpdateConfig'),
      Parallelism: update.parallelism,
      Delay: update.delayMs * NS_PER_MS,
      FailureAction: update.failureAction,
      Monitor: update.monitorMs * NS_PER_MS,
      MaxFailureRatio: update.maxFailureRatio,
      ...(update.order === 'auto' ? {} : { Order: update.order }),
    },
  }
}

function inner(json: JsonObject, name: string): JsonObject {
  const value = json[name]
  return isObject(value) ? value : {}
}
