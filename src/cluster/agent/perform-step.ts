import { keyOf } from '#cluster/model'
import type { NetworkSpec, VolumeSpec } from '#cluster/spec'
import type { ClusterStore } from '#cluster/store'
import { unreachable } from '#base'

import type { AssignedTask } from './assigned-task.ts'
import { agentError } from './errors.ts'
import type { NodePort } from './node-port.ts'
import type { AgentStep } from './steps.ts'
import { nodeNetwork, nodeVolume, partsOf } from './task-spec.ts'

export interface StepWorld {
  readonly node: NodePort
  readonly store: ClusterStore
  readonly nowMs: () => number
  readonly beginDrain: (taskId: string) => void
  /** Aborted when what takes long is not wanted any more. */
  readonly signal?: AbortSignal
}

/**
 * Carries out one step; `revision` is that of the task's record when it was planned. Each can be done twice. Resolves to the store's revision of what was written: 0
 * when nothing was to be written, null when the record changed meanwhile.
 */
export async function performStep(step: AgentStep, revision: number, world: StepWorld): Promise<number | null> {
  const { node, store } = world
  switch (step.type) {
    case 'report': {
      const { task } = step.assigned
      const key = keyOf('task', task.id)
      const value = { ...task, status: step.status, updatedAtMs: world.nowMs() }
      return await store.write({ conditions: [{ key, revision }], puts: [{ key, value }] })
    }
    case 'create':
      await ensureParts(step.assigned, node)
      for (const { id, name } of step.aside) await node.renameTask(id, name)
      await node.createTask(step.spec, world.signal)
      return 0
    case 'start':
      await node.startTask(step.containerId)
      return 0
    case 'stop':
      await node.stopTask(step.containerId)
      return 0
    case 'remove':
      await node.removeTask(step.containerId)
      return 0
    case 'begin-drain':
      world.beginDrain(step.assigned.task.id)
      return 0
    default:
      return unreachable(step)
  }
}

async function ensureParts(assigned: AssignedTask, node: NodePort): Promise<void> {
  const { stack } = assigned.service
  const { networks, volumes } = partsOf(assigned)
  const [haveNetworks, haveVolumes] = await Promise.all([node.listNetworks(), node.listVolumes()])
  for (const network of networks) {
    if (haveNetworks.includes(network.name)) continue
    if (network.isExternal) throw missing('network', network)
    await node.ensureNetwork(nodeNetwork(stack, network))
  }
  for (const volume of volumes) {
    if (haveVolumes.includes(volume.name)) continue
    if (volume.isExternal) throw missing('volume', volume)
    await node.ensureVolume(nodeVolume(stack, volume))
  }
}

function missing(kind: string, { name }: NetworkSpec | VolumeSpec) {
  return agentError('task.part_missing', `the external ${kind} ${name} does not exist: create it, or take "external" away`)
}
