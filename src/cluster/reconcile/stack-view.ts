import type { ServiceSpec } from '#cluster/spec'
import type { NodeTask } from './node-port.ts'
import type { StackRecord } from './stack-record.ts'
import type { Snapshot } from './steps.ts'
import { LABELS, taskHash } from './task-spec.ts'

/** A service and what is there of it. */
export interface ServiceView {
  readonly spec: ServiceSpec
  readonly tasks: readonly TaskView[]
  /** Numbers of tasks that are being created and not seen yet. */
  readonly pendingNumbers: readonly number[]
}

export interface TaskView {
  readonly task: NodeTask
  readonly number: number
  /** Made from the spec as it is now. */
  readonly isCurrent: boolean
  readonly isBusy: boolean
  readonly isDraining: boolean
}

export interface StackView {
  readonly record: StackRecord
  readonly services: readonly ServiceView[]
  /** Tasks of services that the stack has no longer. */
  readonly orphans: readonly TaskView[]
}

export function viewStack(record: StackRecord, snapshot: Snapshot): StackView {
  const ours = snapshot.tasks.filter((task) => task.labels[LABELS.stack] === record.spec.name)
  const services = record.spec.services.map((spec) => {
    const hash = taskHash(record, spec)
    const tasks = ours.filter((task) => task.labels[LABELS.service] === spec.name).map((task) => viewTask(task, hash, snapshot))
    return { spec, tasks: tasks.toSorted((a, b) => a.number - b.number), pendingNumbers: pendingNumbers(record, spec, snapshot) }
  })
  const orphans = ours
    .filter((task) => !record.spec.services.some((spec) => spec.name === task.labels[LABELS.service]))
    .map((task) => viewTask(task, '', snapshot))
  return { record, services, orphans }
}

function viewTask(task: NodeTask, hash: string, snapshot: Snapshot): TaskView {
  return {
    task,
    number: Number(task.labels[LABELS.number] ?? 0),
    isCurrent: task.labels[LABELS.hash] === hash,
    isBusy: snapshot.busy.has(`task/${task.name}`),
    isDraining: snapshot.memory.draining.has(task.id),
  }
}

function pendingNumbers(record: StackRecord, spec: ServiceSpec, snapshot: Snapshot): readonly number[] {
  return [...snapshot.busy.values()].flatMap((step) => {
    if (step.type !== 'create-task' || step.stack !== record.spec.name || step.service !== spec.name) return []
    const isSeen = snapshot.tasks.some((task) => task.name === step.task.name)
    return isSeen ? [] : [Number(step.task.labels[LABELS.number])]
  })
}

/** Its process is there, whatever its condition. */
export function isAlive({ task }: TaskView): boolean {
  return task.state === 'running' || task.state === 'paused' || task.state === 'restarting'
}

/** Can take work. */
export function isReady({ task, isDraining }: TaskView): boolean {
  return task.state === 'running' && (task.health === 'none' || task.health === 'healthy') && !isDraining
}

/** Ended as it should. */
export function isCompleted({ task }: TaskView): boolean {
  return task.state === 'exited' && task.exitCode === 0
}
