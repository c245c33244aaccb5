import { unreachable } from '#base'

import type { NodePort } from './node-port.ts'
import type { Step } from './steps.ts'

/** What the reconciler remembers, to be changed by steps. */
export interface StepNotes {
  readonly draining: Map<string, number>
  readonly startAgain: Set<string>
}

export interface StepWorld {
  readonly node: NodePort
  readonly notes: StepNotes
  readonly nowMs: () => number
  readonly forgetStack: (name: string) => void
}

/** Carries out one step. Each can be done twice. */
export async function performStep(step: Step, { node, notes, nowMs, forgetStack }: StepWorld): Promise<void> {
  switch (step.type) {
    case 'create-network':
      return await node.ensureNetwork(step.network)
    case 'remove-network':
      return await node.removeNetwork(step.name)
    case 'create-volume':
      return await node.ensureVolume(step.volume)
    case 'remove-volume':
      return await node.removeVolume(step.name)
    case 'create-task':
      // Started at once: a created task that waits for nothing needs no round of its own.
      return await node.startTask(await node.createTask(step.task))
    case 'start-task':
      await node.startTask(step.id)
      return void notes.startAgain.delete(step.id)
    case 'drain-task':
      return void notes.draining.set(step.id, nowMs())
    case 'undrain-task':
      return void notes.draining.delete(step.id)
    case 'stop-task':
      if (step.thenStart) notes.startAgain.add(step.id)
      await node.stopTask(step.id)
      return void notes.draining.delete(step.id)
    case 'remove-task':
      return await node.removeTask(step.id)
    case 'forget-stack':
      return forgetStack(step.stack)
    default:
      return unreachable(step)
  }
}
