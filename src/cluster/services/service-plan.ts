import type { RevisionRecord, ServiceRecord, TaskRecord } from '#cluster/model'

import type { Wait } from './port.ts'

/** What is to be written for one service. All of it or nothing. */
export type ServiceStep = { readonly reason: string } & (
  | { readonly type: 'create-task'; readonly task: TaskDraft }
  /** May start now. `isForgiven`: what ended before it does not count any more. */
  | { readonly type: 'start-task'; readonly task: TaskRecord; readonly isForgiven: boolean }
  | { readonly type: 'end-task'; readonly task: TaskRecord; readonly desiredState: 'shutdown' | 'remove' }
  /** Its node will not say anything of it any more. */
  | { readonly type: 'orphan-task'; readonly task: TaskRecord }
  /** It has no node yet that could say that it ended. */
  | { readonly type: 'close-task'; readonly task: TaskRecord }
  | { readonly type: 'forget-task'; readonly task: TaskRecord }
  | { readonly type: 'forget-revision'; readonly revision: RevisionRecord }
  | { readonly type: 'change-service'; readonly service: ServiceRecord }
  | { readonly type: 'forget-service' }
)

export type TaskDraft = Pick<TaskRecord, 'revision' | 'slot' | 'nodeId' | 'desiredState' | 'startAfterMs' | 'runId'> & {
  readonly failures: number
}

export interface ServicePlan {
  readonly steps: readonly ServiceStep[]
  readonly waits: readonly Wait[]
  /** When to plan again at the latest, though nothing happens; Infinity: then only. */
  readonly wakeAtMs: number
}

/** Gathers a plan. */
export interface PlanWriter {
  readonly steps: ServiceStep[]
  step(step: ServiceStep): void
  wait(reason: string, more?: Partial<Wait>): void
  /** To plan again then, without a reason that anybody has to know. */
  wake(atMs: number): void
}

export function planWriter(serviceId: string): PlanWriter & { plan(): ServicePlan } {
  const steps: ServiceStep[] = []
  const waits: Wait[] = []
  let wakeAtMs = Number.POSITIVE_INFINITY
  return {
    steps,
    wake: (atMs) => void (wakeAtMs = Math.min(wakeAtMs, atMs)),
    step: (step) => void steps.push(step),
    wait: (reason, more = {}) => {
      const wait = { serviceId, taskId: null, reason, untilMs: null, isHopeless: false, ...more }
      waits.push(wait)
      wakeAtMs = Math.min(wakeAtMs, wait.untilMs ?? Number.POSITIVE_INFINITY)
    },
    plan: () => ({ steps, waits, wakeAtMs }),
  }
}
