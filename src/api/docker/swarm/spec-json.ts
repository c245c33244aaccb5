import { isObject, type JsonObject } from '#api/http'
import type { RevisionRecord } from '#cluster/model'
import type { ServiceSpec } from '#cluster/spec'

const NS_PER_MS = 1_000_000

/** ServiceSpec: as the client said it, or made from ours when the service came another way. */
export function specJson({ spec, parts, forced }: RevisionRecord): JsonObject {
  if (parts.said !== undefined) return parts.said
  const { task } = spec
  return {
    Name: spec.name,
    Labels: spec.labels,
    TaskTemplate: {
      ContainerSpec: {
        Image: task.image,
        Labels: task.labels,
        ...(task.entrypoint === null ? {} : { Command: task.entrypoint }),
        ...(task.command === null ? {} : { Args: task.command }),
        Env: Object.entries(task.environment).map(([name, value]) => `${name}=${value}`),
        ...(task.stopGracePeriodMs === null ? {} : { StopGracePeriod: task.stopGracePeriodMs * NS_PER_MS }),
      },
      Placement: { Constraints: spec.placement.constraints.map(({ key, operator, value }) => `${key} ${operator} ${value}`) },
      Networks: task.networks.map(({ network, aliases }) => ({ Target: network, Aliases: aliases })),
      ForceUpdate: forced ?? 0,
      Runtime: 'container',
    },
    Mode: modeJson(spec),
  }
}

/** TaskSpec. */
export function taskSpecJson(revision: RevisionRecord | undefined): JsonObject {
  const task = revision === undefined ? undefined : specJson(revision)['TaskTemplate']
  return isObject(task) ? task : {}
}

export function modeJson({ mode, replicas, job }: Pick<ServiceSpec, 'mode' | 'replicas' | 'job'>): JsonObject {
  switch (mode) {
    case 'replicated':
      return { Replicated: { Replicas: replicas } }
    case 'global':
      return { Global: {} }
    case 'replicated-job':
      return { ReplicatedJob: { MaxConcurrent: job?.parallelism ?? 1, TotalCompletions: job?.completions ?? 1 } }
    case 'global-job':
      return { GlobalJob: {} }
  }
}
