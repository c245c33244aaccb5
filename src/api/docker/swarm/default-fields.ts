import { isObject, type JsonObject } from '#api/http'

const NS = 1_000_000_000

/** What holds where a client said nothing, as swarm mode has it. */
const ROLLOUT = { Parallelism: 1, FailureAction: 'pause', Monitor: 5 * NS, MaxFailureRatio: 0, Order: 'stop-first' }
const RESTART = { Condition: 'any', Delay: 5 * NS, MaxAttempts: 0 }
const STOP_GRACE_NS = 10 * NS

/** A ServiceSpec with those in it, which clients ask for by `insertDefaults` to show them. */
export function withDefaults(spec: JsonObject): JsonObject {
  const task = objectAt(spec, 'TaskTemplate')
  const container = objectAt(task, 'ContainerSpec')
  return {
    ...spec,
    TaskTemplate: {
      ...task,
      ContainerSpec: {
        ...container,
        StopGracePeriod: container['StopGracePeriod'] ?? STOP_GRACE_NS,
        DNSConfig: container['DNSConfig'] ?? {},
      },
      Resources: task['Resources'] ?? {},
      RestartPolicy: { ...RESTART, ...objectAt(task, 'RestartPolicy') },
      Placement: task['Placement'] ?? {},
    },
    UpdateConfig: rollout(spec, 'UpdateConfig'),
    RollbackConfig: rollout(spec, 'RollbackConfig'),
  }
}

/** Of one that is there only the time is filled in. */
function rollout(spec: JsonObject, name: string): JsonObject {
  const said = spec[name]
  return isObject(said) ? { ...said, Monitor: said['Monitor'] ?? ROLLOUT.Monitor } : ROLLOUT
}

/** Networks by their ids, as clients compare them. */
export function withNetworkIds(spec: JsonObject, idOf: (ref: string) => string): JsonObject {
  const task = objectAt(spec, 'TaskTemplate')
  const named = (value: unknown) =>
    Array.isArray(value)
      ? value.map((one: unknown) =>
          isObject(one) && typeof one['Target'] === 'string' ? { ...one, Target: idOf(one['Target']) } : one,
        )
      : value
  return {
    ...spec,
    ...(task['Networks'] === undefined ? {} : { TaskTemplate: { ...task, Networks: named(task['Networks']) } }),
    ...(spec['Networks'] === undefined ? {} : { Networks: named(spec['Networks']) }),
  }
}

function objectAt(from: JsonObject, name: string): JsonObject {
  const value = from[name]
  return isObject(value) ? value : {}
}
