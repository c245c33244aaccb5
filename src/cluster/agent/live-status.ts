import type { TaskStatus } from '#cluster/model'
import type { ChecksSpec } from '#cluster/spec'

import type { AgentSnapshot, AssignedTask } from './assigned-task.ts'
import type { NodeTask } from './node-port.ts'
import { checksOf } from './routed-ports.ts'

/** Probe output is somebody else's text of any length. */
const MAX_SAID = 200

/** Why it has to be replaced; null: it need not be. */
export function illnessOf(container: NodeTask, { task }: AssignedTask, { memory }: AgentSnapshot): string | null {
  if (container.lost !== undefined) return container.lost
  if (container.health === 'unhealthy') return `is unhealthy${said(container.healthOutput)}`
  const verdict = memory.checks.get(task.id)
  return verdict?.isAlive === false ? `failed its liveness check${said(verdict.output)}` : null
}

/** What is to be written of a task that runs. The same object when nothing is new. */
export function liveStatus(container: NodeTask, assigned: AssignedTask, snapshot: AgentSnapshot): TaskStatus {
  const { status } = assigned.task
  const verdict = snapshot.memory.checks.get(assigned.task.id)
  const holdUp = holdUpOf(container, assigned, snapshot)
  const isReady = holdUp === null
  const isSame = status.isReady === isReady
  const hasHealth = container.health !== 'none'
  const next: TaskStatus = {
    ...status,
    state: 'running',
    sinceMs: status.state === 'running' ? status.sinceMs : snapshot.nowMs,
    message: holdUp ?? 'runs',
    error: '',
    containerId: container.id,
    isReady,
    readySinceMs: isReady ? (isSame ? (status.readySinceMs ?? snapshot.nowMs) : snapshot.nowMs) : null,
    startedAtMs: container.startedAtMs ?? snapshot.nowMs,
    addresses: container.addresses,
    ...(container.health === 'none' ? {} : { health: container.health }),
    ...(hasHealth || verdict !== undefined ? { healthOutput: clean(verdict?.output ?? container.healthOutput) } : {}),
  }
  return sameText(next, status) ? status : next
}

function holdUpOf(container: NodeTask, assigned: AssignedTask, { memory }: AgentSnapshot): string | null {
  const { task } = assigned
  if (container.state === 'paused') return 'is paused'
  if (container.state === 'restarting') return 'is being restarted'
  if (container.lost !== undefined) return container.lost
  if (memory.draining.has(task.id)) return 'finishes its open connections'
  if (container.health === 'starting') return `is not healthy yet${said(container.healthOutput)}`
  if (container.health === 'unhealthy') return `is unhealthy${said(container.healthOutput)}`
  const verdict = memory.checks.get(task.id)
  if (verdict === undefined) return unprobed(checksOf(assigned, container))
  if (!verdict.isStarted) return `has not passed its start-up check yet${said(verdict.output)}`
  return verdict.isReady ? null : `has not passed its readiness check${said(verdict.output)}`
}

/** It runs since just now: its checks begin with the next look, and until then it has passed none. */
function unprobed({ startup, readiness }: ChecksSpec): string | null {
  if (startup !== null) return 'has not passed its start-up check yet'
  return readiness === null ? null : 'has not passed its readiness check yet'
}

function said(output: string): string {
  const text = clean(output)
  return text === '' ? '' : `: ${text}`
}

function clean(output: string): string {
  return output.trim().slice(0, MAX_SAID)
}

/** Health output says something else each time: told along with what matters, and not by itself. Each look compares every task: texts would cost more than all the rest. */
function sameText(a: TaskStatus, b: TaskStatus): boolean {
  const keys = toldKeys(a)
  if (keys.length !== toldKeys(b).length) return false
  return keys.every((key) => a[key] === b[key] || (isNested(a[key]) && sameValue(a[key], b[key])))
}

function toldKeys(status: TaskStatus): readonly (keyof TaskStatus)[] {
  return (Object.keys(status) as (keyof TaskStatus)[]).filter((key) => key !== 'healthOutput')
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function sameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
